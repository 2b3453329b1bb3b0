/* Threads that spin with sched_yield until another has done its part. */
#include <sched.h>

#include "twin.h"

enum { THREADS = 4, ROUNDS = 100 };

static volatile int turn;

static void *run(void *arg)
{
	int me = (int)(long)arg;
	for (int i = 0; i < ROUNDS; i++) {
		while (__atomic_load_n(&turn, __ATOMIC_ACQUIRE) % THREADS != me)
			sched_yield();
		__atomic_add_fetch(&turn, 1, __ATOMIC_ACQ_REL);
	}
	return NULL;
}

int main(void)
{
	pthread_t t[THREADS];
	for (long i = 1; i < THREADS; i++)
		t[i] = spawn(run, (void *)i);
	report_threads();
	run(NULL);
	for (int i = 1; i < THREADS; i++)
		join(t[i]);
	printf("%d turns\n", turn);
	return 0;
}
