/* mlockall before the threads are made: stacks in locked memory, guards included. Overflowing one still ends the
 * program by SIGSEGV (argument "overflow"). */
#include <sys/mman.h>
#include <sys/resource.h>

#include "twin.h"

enum { THREADS = 20 };

static sem_t here, go;

static __attribute__((noinline)) int overflow(int depth)
{
	volatile char block[4096];
	block[0] = (char)depth;
	block[4095] = 1;
	return block[4095] ? overflow(depth + 1) + block[0] : 0;
}

static void *run(void *arg)
{
	volatile char block[16384];
	memset((void *)block, 1, sizeof block);
	sem_post(&here);
	wait_for(&go);
	if (arg)
		overflow(0);
	return (void *)(long)block[100];
}

int main(int argc, char **argv)
{
	pthread_t t[THREADS];
	pthread_attr_t attr;
	struct rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};
	sem_init(&here, 0, 0);
	sem_init(&go, 0, 0);
	pthread_attr_init(&attr);
	check(pthread_attr_setstacksize(&attr, 64 * 1024) == 0);
	/* Where it is not allowed, both twins run without: the rest must be the same. */
	if (setrlimit(RLIMIT_MEMLOCK, &unlimited) < 0)
		fprintf(stderr, "the limit of locked memory stays\n");
	if (mlockall(MCL_CURRENT | MCL_FUTURE) < 0)
		fprintf(stderr, "memory is not locked\n");
	for (long i = 0; i < THREADS; i++)
		check(pthread_create(&t[i], &attr, run, i == 0 && argc > 1 ? &t : NULL) == 0);
	for (int i = 0; i < THREADS; i++)
		wait_for(&here);
	report_threads();
	puts("all here");
	fflush(stdout);
	for (int i = 0; i < THREADS; i++)
		sem_post(&go);
	for (int i = 0; i < THREADS; i++)
		check((long)join(t[i]) == 1);
	puts("all gone");
	return 0;
}
