/* clone from main and from a thread: a child with memory of its own has threads that wait, while its maker's others go on; one that shares its
 * maker's memory until it ends. */
#include <sys/wait.h>

#include "twin.h"

enum { STACK = 256 << 10 };
static char stack[STACK] __attribute__((aligned(64)));
static int gate[2], echo[2], written;

/* As long as the other end is open. */
static void *park(void *arg)
{
	char byte;
	while (read(gate[0], &byte, 1) == 1)
		check(write(echo[1], &byte, 1) == 1);
	return arg;
}

static void *sleep_and_post(void *posted)
{
	usleep(1000);
	sem_post((sem_t *)posted);
	return posted;
}

static int child(void *arg)
{
	sem_t posted;
	int pair[2];
	char byte = 'c';
	sem_init(&posted, 0, 0);
	stream_pair(pair);
	pthread_t t = spawn(sleep_and_post, &posted);
	wait_for(&posted);
	check(join(t) == &posted);
	check(write(pair[0], &byte, 1) == 1 && read(pair[1], &byte, 1) == 1 && byte == 'c');
	written = 1;
	return 40 + (int)(long)arg;
}

static int child_within(void *arg)
{
	usleep(1000);
	written = 2;
	_exit(50 + (int)(long)arg);
}

static int ended(pid_t pid)
{
	int status;
	check(pid > 0 && waitpid(pid, &status, 0) == pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static void *make_them(void *arg)
{
	char byte = 'x';
	written = 0;
	pid_t pid = clone(child, stack + STACK, SIGCHLD, arg);
	/* The one that is parked belongs to the maker, and is still to be reached. */
	check(write(gate[1], &byte, 1) == 1 && read(echo[0], &byte, 1) == 1);
	printf("its own memory: %d, ", ended(pid));
	printf("written: %d\n", written);
	pid = clone(child_within, stack + STACK, CLONE_VM | CLONE_VFORK | SIGCHLD, arg);
	check(write(gate[1], &byte, 1) == 1 && read(echo[0], &byte, 1) == 1);
	printf("its maker's: %d, written: %d\n", ended(pid), written);
	show(clone(NULL, stack + STACK, SIGCHLD, arg));
	show(clone(child, stack + STACK, CLONE_SIGHAND | SIGCHLD, arg));
	return arg;
}

int main(void)
{
	check(pipe(gate) == 0 && pipe(echo) == 0);
	pthread_t t = spawn(park, NULL);
	report_threads();
	make_them((void *)1);
	join(spawn(make_them, (void *)2));
	close(gate[1]);
	join(t);
	return 0;
}
