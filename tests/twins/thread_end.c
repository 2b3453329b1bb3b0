/* How a process ends while threads live: argument main-exits, main-returns, thread-exits, thread-_exits, thread-
 * quick. */
#include "twin.h"

static sem_t here, go;
static const char *how;

static void at_exit(void)
{
	puts("atexit handler");
}

static void quick_handler(void)
{
	puts("at_quick_exit handler");
	fflush(stdout);
}

static void *blocked_for_ever(void *arg)
{
	char c;
	int pipes[2];
	check(pipe(pipes) == 0);
	sem_post(&here);
	check(read(pipes[0], &c, 1) == 1);
	return arg;
}

static void *last(void *arg)
{
	sem_post(&here);
	wait_for(&go);
	puts("a thread goes on after main");
	fflush(stdout);
	if (!strcmp(how, "thread-exits"))
		exit(7);
	if (!strcmp(how, "thread-_exits"))
		_exit(8);
	if (!strcmp(how, "thread-quick"))
		quick_exit(9);
	return arg;
}

int main(int argc, char **argv)
{
	check(argc == 2);
	how = argv[1];
	sem_init(&here, 0, 0);
	sem_init(&go, 0, 0);
	atexit(at_exit);
	at_quick_exit(quick_handler);
	pthread_t t = spawn(last, NULL);
	wait_for(&here);
	if (strcmp(how, "main-exits")) {
		spawn(blocked_for_ever, NULL);
		wait_for(&here);
	}
	report_threads();
	if (!strcmp(how, "main-returns"))
		return 3;
	sem_post(&go);
	if (!strcmp(how, "main-exits"))
		pthread_exit(NULL);
	join(t);
	for (;;)
		pause();
}
