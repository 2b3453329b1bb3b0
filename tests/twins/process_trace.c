/* A thread traces a child, and waits for what it reports, while another thread goes on. */
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include "twin.h"

static sem_t here, go;

static void *trace(void *arg)
{
	int status, stops = 0;
	pid_t pid = fork();
	if (pid == 0) {
		/* Where it is not allowed, natively neither. */
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
			_exit(77);
		raise(SIGUSR1);
		raise(SIGUSR2);
		_exit(4);
	}
	sem_post(&here);
	wait_for(&go);
	while (waitpid(pid, &status, 0) == pid && WIFSTOPPED(status)) {
		printf("stopped by %d\n", WSTOPSIG(status));
		stops++;
		sem_post(&here);
		wait_for(&go);
		check(ptrace(PTRACE_CONT, pid, NULL, NULL) == 0);
	}
	printf("%d stops, ended with %d\n", stops, WEXITSTATUS(status));
	sem_post(&here);
	return NULL;
}

int main(void)
{
	sem_init(&here, 0, 0);
	sem_init(&go, 0, 0);
	pthread_t t = spawn(trace, NULL);
	for (int i = 0; i < 3; i++) {
		wait_for(&here);
		if (i == 0)
			report_threads();
		sem_post(&go);
	}
	join(t);
	return 0;
}
