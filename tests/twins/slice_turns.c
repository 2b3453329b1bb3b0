/* Threads that pass a turn to one another by a plain variable, looking at it again and again: with nothing between two looks, with
 * sched_yield, with a spin lock; and sleepers beside one that only computes. */
#include <sched.h>

#include "twin.h"

enum { THREADS = 2, ROUNDS = 5, SLEEPERS = 20, SLEEPS = 20 };
static volatile int turn, stop;
static pthread_spinlock_t lock;
static volatile unsigned long work;

static void *by_nothing(void *arg)
{
	until_reported();
	for (int i = 0; i < ROUNDS; i++) {
		while (turn != (int)(long)arg)
			;
		turn = ((int)(long)arg + 1) % THREADS;
	}
	return arg;
}

static void *by_yield(void *arg)
{
	until_reported();
	for (int i = 0; i < ROUNDS; i++) {
		while (turn != (int)(long)arg)
			sched_yield();
		turn = ((int)(long)arg + 1) % THREADS;
	}
	return arg;
}

static void *by_spin_lock(void *arg)
{
	until_reported();
	for (int i = 0; i < ROUNDS;) {
		pthread_spin_lock(&lock);
		if (turn == (int)(long)arg) {
			turn = (turn + 1) % THREADS;
			i++;
		}
		pthread_spin_unlock(&lock);
	}
	return arg;
}

static void pass_around(void *(*entry)(void *), const char *how)
{
	pthread_t t[THREADS];
	turn = 0;
	fixture.reported = false;
	for (long i = 0; i < THREADS; i++)
		t[i] = spawn(entry, (void *)i);
	report_threads();
	for (int i = 0; i < THREADS; i++)
		join(t[i]);
	printf("%s: %d\n", how, turn);
}

static void *compute(void *arg)
{
	while (!stop)
		work++;
	return arg;
}

static void *sleep_often(void *arg)
{
	for (int i = 0; i < SLEEPS; i++)
		usleep(5000);
	return arg;
}

int main(void)
{
	pthread_t t[SLEEPERS];
	check(pthread_spin_init(&lock, PTHREAD_PROCESS_PRIVATE) == 0);
	pass_around(by_nothing, "nothing");
	pass_around(by_yield, "sched_yield");
	pass_around(by_spin_lock, "spin lock");
	pthread_t computes = spawn(compute, NULL);
	for (int i = 0; i < SLEEPERS; i++)
		t[i] = spawn(sleep_often, NULL);
	for (int i = 0; i < SLEEPERS; i++)
		join(t[i]);
	stop = 1;
	join(computes);
	puts("all have slept");
	return 0;
}
