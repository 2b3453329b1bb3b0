/* busy.c: four threads that compute and never call: time slices take them off in the middle of their code. Says "ready" when each has been at it. */
#include <pthread.h>
#include <stdio.h>

enum { THREADS = 4 };

static volatile long turns[THREADS];

static __attribute__((noinline)) void crunch(long which)
{
	for (;;)
		turns[which]++;
}

static void *work(void *arg)
{
	crunch((long)arg);
	return arg;
}

int main(void)
{
	pthread_t threads[THREADS];
	for (long i = 0; i < THREADS; i++)
		if (pthread_create(&threads[i], NULL, work, (void *)i) != 0)
			return 1;
	/* Main is one of those that are taken off. */
	for (int i = 0; i < THREADS; i++)
		while (turns[i] == 0)
			;
	puts("ready");
	fflush(stdout);
	return pthread_join(threads[0], NULL);
}
