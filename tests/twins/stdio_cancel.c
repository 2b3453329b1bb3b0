/* A thread that is cancelled in a stream gives it back, before its cleanup handlers run, and libc's lock with it; and one that leaves fgets by
 * a long jump. */
#include "streams.h"

#include <setjmp.h>
#include <signal.h>

static int way[2];

static void clean_up(void *arg)
{
	printf("%s: cleaned up, %s\n", (const char *)arg, ftrylockfile(in) == 0 ? (funlockfile(in), "free") : "held");
}

static void *read_for_ever(void *arg)
{
	char line[100];
	pthread_cleanup_push(clean_up, "fgets");
	sem_post(&here);
	fgets(line, sizeof line, in);
	pthread_cleanup_pop(0);
	return NULL;
}

static void *write_for_ever(void *arg)
{
	pthread_cleanup_push(clean_up, "fprintf");
	sem_post(&here);
	for (;;)
		fprintf(in, "more and more %d\n", 1);
	pthread_cleanup_pop(0);
	return NULL;
}

/* Before it writes anything. */
static void *write_cancelled(void *arg)
{
	check(pthread_cancel(pthread_self()) == 0);
	fprintf(out, "%d\n", 1);
	return NULL;
}

static void *use_it(void *arg)
{
	char line[100];
	check(fgets(line, sizeof line, in) != NULL);
	printf("another has it: %s", line);
	return NULL;
}

static sigjmp_buf out_of_it;

static void jump(int sig)
{
	siglongjmp(out_of_it, 1);
}

static void *jump_out(void *arg)
{
	char line[100];
	struct sigaction action = {.sa_handler = jump};
	sigaction(SIGUSR1, &action, NULL);
	for (volatile int i = 0; i < 3; i++) {
		if (sigsetjmp(out_of_it, 1) == 0) {
			sem_post(&here);
			fgets(line, sizeof line, in);
			check(!"a line that nobody has written");
		}
		/* Deeper than where it was left. */
		char deep[2000];
		memset(deep, 'x', sizeof deep);
		check(fputs(deep[i] == 'x' ? "" : "y", out) >= 0 && fflush(out) == 0);
	}
	sem_post(&here);
	check(fgets(line, sizeof line, in) != NULL);
	printf("after three jumps: %s", line);
	return NULL;
}

int main(void)
{
	int left = 1;
	sem_init(&here, 0, 0);
	stream_pair(way);
	in = fdopen(way[0], "r+");
	pthread_t t = spawn(read_for_ever, NULL);
	wait_for(&here);
	write_all(way[1], "half ", 5);
	for (; left > 0; sched_yield())
		check(ioctl(way[0], FIONREAD, &left) == 0);
	report_threads();
	check(pthread_cancel(t) == 0 && join(t) == PTHREAD_CANCELED);
	t = spawn(use_it, NULL);
	write_all(way[1], "a line\n", 7);
	join(t);

	t = spawn(write_for_ever, NULL);
	wait_for(&here);
	/* Until the socket is full. */
	for (int before = -1; left != before; nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL)) {
		before = left;
		check(ioctl(way[1], FIONREAD, &left) == 0);
	}
	check(pthread_cancel(t) == 0 && join(t) == PTHREAD_CANCELED);
	clearerr(in);
	puts("fprintf has given it back");

	out = fopen("/dev/null", "w");
	check(setvbuf(out, NULL, _IOLBF, 100) == 0);
	check(join(spawn(write_cancelled, NULL)) == PTHREAD_CANCELED);
	puts(putc('x', out) == 'x' ? "and so it has where it did not wait" : "");

	int other[2];
	stream_pair(other);
	in = fdopen(other[0], "r");
	t = spawn(jump_out, NULL);
	for (int i = 0; i < 3; i++) {
		wait_for(&here);
		nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
		check(pthread_kill(t, SIGUSR1) == 0);
	}
	wait_for(&here);
	write_all(other[1], "the line\n", 9);
	join(t);
	fflush(stdout);
	_exit(0);
}
