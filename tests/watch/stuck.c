/* One thread that keeps all others from running: stuck.c compute|call. Ends when its standard input does, once the thread has let go: SIGTERM. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static volatile unsigned long rounds;

/* noinline: it is to be seen in a stack. */
__attribute__((noinline)) static void spin(void)
{
	for (;;)
		rounds++;
}

static void *computes(void *arg)
{
	printf("ready %d\n", getpid());
	fflush(stdout);
	spin();
	return arg;
}

/* A raw system call that has no wrapper: nobody can know what it means. */
static void *calls(void *arg)
{
	struct timespec long_time = {.tv_sec = 1000};
	printf("ready %d\n", getpid());
	fflush(stdout);
	syscall(SYS_ppoll, NULL, 0, &long_time, NULL, 0);
	return arg;
}

static void *sleeps(void *arg)
{
	for (;;)
		usleep(1000);
	return arg;
}

int main(int argc, char **argv)
{
	pthread_t a, b;
	void *(*entry)(void *) = argc > 1 && strcmp(argv[1], "call") == 0 ? calls : computes;
	if (pthread_create(&a, NULL, sleeps, NULL) || pthread_create(&b, NULL, entry, NULL))
		return 1;
	pthread_setname_np(b, "stuck one");
	pthread_join(a, NULL);
	return 0;
}
