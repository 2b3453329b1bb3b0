/* fork, while one thread is parked in a stream and another holds one: the child may use both. */
#include "streams.h"

#include <sys/wait.h>

static int way[2];
static sem_t may_end;

static void *read_stdin(void *arg)
{
	char line[100];
	sem_post(&here);
	check(fgets(line, sizeof line, stdin) != NULL);
	return NULL;
}

static void *hold_stdout(void *arg)
{
	flockfile(stdout);
	sem_post(&here);
	wait_for(&may_end);
	funlockfile(stdout);
	return NULL;
}

static void *print_in_child(void *arg)
{
	printf("a thread of the child\n");
	return NULL;
}

int main(void)
{
	int status;
	sem_init(&here, 0, 0);
	sem_init(&may_end, 0, 0);
	check(pipe(way) == 0 && dup2(way[0], 0) == 0);
	pthread_t reader = spawn(read_stdin, NULL), holder = spawn(hold_stdout, NULL);
	wait_for(&here);
	wait_for(&here);
	sched_yield();
	report_threads();
	pid_t pid = fork();
	if (pid == 0) {
		alarm(10);
		printf("the child\n");
		clearerr(stdin);
		join(spawn(print_in_child, NULL));
		fflush(NULL);
		printf("the child ends\n");
		exit(5);
	}
	check(waitpid(pid, &status, 0) == pid);
	sem_post(&may_end);
	join(holder);
	printf("the parent: %d\n", WEXITSTATUS(status));
	write_all(way[1], "line\n", 5);
	join(reader);
	return 0;
}
