/* Named semaphores: between threads and with a child process, which blocks on them in its own right. */
#include <sys/wait.h>

#include "twin.h"

static sem_t *asked, *answered;

static void *serve(void *arg)
{
	for (int i = 0; i < 3; i++) {
		wait_for(asked);
		sem_post(answered);
	}
	return arg;
}

int main(void)
{
	char a[64], b[64];
	snprintf(a, sizeof a, "/twin-asked-%d", (int)getpid());
	snprintf(b, sizeof b, "/twin-answered-%d", (int)getpid());
	printf("not there: %d\n", sem_open(a, 0) == SEM_FAILED && errno == ENOENT);
	asked = sem_open(a, O_CREAT | O_EXCL, 0600, 0);
	answered = sem_open(b, O_CREAT, 0600, 0);
	check(asked != SEM_FAILED && answered != SEM_FAILED);
	printf("there already: %d\n", sem_open(a, O_CREAT | O_EXCL, 0600, 0) == SEM_FAILED && errno == EEXIST);
	sem_t *same = sem_open(a, 0);
	printf("the same one: %d\n", same == asked);
	show(sem_close(same));
	pthread_t t = spawn(serve, NULL);
	report_threads();
	for (int i = 0; i < 3; i++) {
		sem_post(asked);
		wait_for(answered);
	}
	join(t);
	puts("three answers from a thread");
	fflush(stdout);

	pid_t pid = fork();
	if (pid == 0) {
		serve(NULL);
		_exit(0);
	}
	for (int i = 0; i < 3; i++) {
		sem_post(asked);
		wait_for(answered);
	}
	int status;
	check(waitpid(pid, &status, 0) == pid && status == 0);
	puts("three answers from a process");
	show(sem_close(asked));
	show(sem_close(answered));
	show(sem_unlink(a));
	show(sem_unlink(b));
	show(sem_unlink(b));
	return 0;
}
