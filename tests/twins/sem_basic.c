/* Semaphores: wait parks until a post, trywait, timed waits on both clocks, values, overflow, many waiters. */
#include <limits.h>

#include "twin.h"

enum { WAITERS = 30 };

static sem_t s, here, done;

static void *run(void *arg)
{
	sem_post(&here);
	check(sem_wait(&s) == 0);
	sem_post(&done);
	return arg;
}

static int value(sem_t *of)
{
	int v = -1;
	check(sem_getvalue(of, &v) == 0);
	return v;
}

int main(void)
{
	pthread_t t[WAITERS];
	struct timespec past = {1, 0}, bad = {1, 1000000000}, soon;
	check(sem_init(&s, 0, 2) == 0 && sem_init(&here, 0, 0) == 0 && sem_init(&done, 0, 0) == 0);
	show(sem_trywait(&s));
	show(sem_wait(&s));
	show(sem_trywait(&s));
	printf("value %d\n", value(&s));

	for (int i = 0; i < WAITERS; i++)
		t[i] = spawn(run, NULL);
	for (int i = 0; i < WAITERS; i++)
		wait_for(&here);
	report_threads();
	for (int i = 0; i < WAITERS; i++) {
		check(sem_post(&s) == 0);
		wait_for(&done);
	}
	for (int i = 0; i < WAITERS; i++)
		join(t[i]);
	printf("all woken, value %d\n", value(&s));

	double began = now();
	soon = after(CLOCK_REALTIME, 0.05);
	show(sem_timedwait(&s, &soon));
	soon = after(CLOCK_MONOTONIC, 0.05);
	show(sem_clockwait(&s, CLOCK_MONOTONIC, &soon));
	check(now() - began >= 0.098);
	show(sem_timedwait(&s, &past));
	show(sem_timedwait(&s, &bad));
	show(sem_clockwait(&s, CLOCK_PROCESS_CPUTIME_ID, &past));
	show(sem_post(&s));
	show(sem_timedwait(&s, &past));

	show(sem_init(&s, 0, (unsigned)SEM_VALUE_MAX + 1));
	show(sem_init(&s, 0, SEM_VALUE_MAX));
	show(sem_post(&s));
	printf("value %d\n", value(&s));
	show(sem_destroy(&s));
	return 0;
}
