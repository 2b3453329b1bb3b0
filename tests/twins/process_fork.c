/* fork while threads live, from main or (argument "thread") from a thread. The child has only its caller; stdio,
 * malloc, locks and new threads work there; its exit status comes back; the parent's threads go on. */
#include <sys/wait.h>

#include "twin.h"

enum { THREADS = 10 };

static sem_t here, go;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int forks_prepared, forks_parent, forks_child, gate[2];
static __thread int mine = 5;

static void prepare(void)
{
	forks_prepared++;
}
static void parent(void)
{
	forks_parent++;
}
static void child(void)
{
	forks_child++;
}

static void *park(void *arg)
{
	char byte;
	sem_post(&here);
	if ((long)arg % 2)
		check(read(gate[0], &byte, 1) == 1);
	else
		wait_for(&go);
	return arg;
}

static void *in_child(void *arg)
{
	check(mine == 5);
	sem_post(arg);
	usleep(1000);
	return (void *)3;
}

static int be_the_child(void)
{
	sem_t s;
	int pair[2];
	char byte;
	mine++;
	printf("child: own variable %d, handlers %d %d %d\n", mine, forks_prepared, forks_parent, forks_child);
	char *p = malloc(100000);
	check(p != NULL);
	free(p);
	check(pthread_mutex_lock(&lock) == 0 && pthread_mutex_unlock(&lock) == 0);
	fprintf(stderr, "child has %d threads\n", os_threads());
	sem_init(&s, 0, 0);
	pthread_t t[3];
	for (int i = 0; i < 3; i++)
		t[i] = spawn(in_child, &s);
	for (int i = 0; i < 3; i++)
		wait_for(&s);
	stream_pair(pair);
	check(write(pair[1], "x", 1) == 1 && read(pair[0], &byte, 1) == 1);
	for (int i = 0; i < 3; i++)
		check((long)join(t[i]) == 3);
	/* A child of the child, from its main thread. */
	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0)
		_exit(22);
	int status;
	check(waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 22);
	puts("child: done");
	fflush(stdout);
	return 21;
}

static void *fork_and_wait(void *arg)
{
	int status;
	fflush(stdout);
	pid_t pid = fork();
	check(pid >= 0);
	if (pid == 0) {
		int result = be_the_child();
		if (arg)
			exit(result);
		_exit(result);
	}
	check(waitpid(pid, &status, 0) == pid);
	printf("child ended with %d\n", WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status));
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t t[THREADS];
	bool from_thread = argc > 1 && !strcmp(argv[1], "thread");
	sem_init(&here, 0, 0);
	sem_init(&go, 0, 0);
	check(pipe(gate) == 0 && pthread_atfork(prepare, parent, child) == 0);
	for (long i = 0; i < THREADS; i++)
		t[i] = spawn(park, (void *)i);
	for (int i = 0; i < THREADS; i++)
		wait_for(&here);
	report_threads();
	for (long round = 0; round < 2; round++) {
		if (from_thread)
			join(spawn(fork_and_wait, (void *)round));
		else
			fork_and_wait((void *)round);
	}
	for (int i = 0; i < THREADS; i += 2)
		sem_post(&go);
	check(write(gate[1], "12345", 5) == 5);
	for (int i = 0; i < THREADS; i++)
		join(t[i]);
	printf("parent: %d %d %d\n", forks_prepared, forks_parent, forks_child);
	return 0;
}
