/* Mutexes with a priority protocol, and the ceiling: who may lock, who waits, what is answered. */
#include <sched.h>

#include "twin.h"

enum { ROUNDS = 200, THREADS = 8 };
static pthread_mutex_t lock;
static sem_t here, go;
static int counter;

static void *count(void *arg)
{
	for (int i = 0; i < ROUNDS; i++) {
		check(pthread_mutex_lock(&lock) == 0);
		int seen = counter;
		sched_yield();
		counter = seen + 1;
		check(pthread_mutex_unlock(&lock) == 0);
	}
	return arg;
}

static void *hold(void *arg)
{
	check(pthread_mutex_lock(&lock) == 0);
	sem_post(&here);
	wait_for(&go);
	check(pthread_mutex_unlock(&lock) == 0);
	return arg;
}

static void *wait_a_little(void *arg)
{
	struct timespec soon = after(CLOCK_REALTIME, 0.02);
	show_error(pthread_mutex_trylock(&lock));
	show_error(pthread_mutex_timedlock(&lock, &soon));
	soon.tv_nsec = -1;
	show_error(pthread_mutex_timedlock(&lock, &soon));
	return arg;
}

static void *lock_in_vain(void *arg)
{
	if (arg)
		show_error(pthread_mutex_lock(&lock));
	else
		show_error(pthread_mutex_trylock(&lock));
	return arg;
}

static void begin(int protocol, int type, int robust)
{
	pthread_mutexattr_t attr;
	int got;
	check(pthread_mutexattr_init(&attr) == 0);
	show_error(pthread_mutexattr_setprotocol(&attr, protocol));
	check(pthread_mutexattr_getprotocol(&attr, &got) == 0 && got == protocol);
	check(pthread_mutexattr_settype(&attr, type) == 0);
	check(pthread_mutexattr_setrobust(&attr, robust) == 0);
	show_error(pthread_mutex_init(&lock, &attr));
	check(pthread_mutexattr_destroy(&attr) == 0);
}

static void inherit(int type, int robust)
{
	pthread_t t[THREADS];
	begin(PTHREAD_PRIO_INHERIT, type, robust);
	t[0] = spawn(hold, NULL);
	wait_for(&here);
	join(spawn(wait_a_little, NULL));
	report_threads();
	sem_post(&go);
	join(t[0]);
	counter = 0;
	for (int i = 0; i < THREADS; i++)
		t[i] = spawn(count, NULL);
	for (int i = 0; i < THREADS; i++)
		join(t[i]);
	printf("inheriting, type %d, robust %d: %d\n", type, robust, counter);
	show_error(pthread_mutex_destroy(&lock));
}

int main(void)
{
	int ceiling = -1, old = -1;
	sem_init(&here, 0, 0);
	sem_init(&go, 0, 0);
	inherit(PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_STALLED);
	inherit(PTHREAD_MUTEX_RECURSIVE, PTHREAD_MUTEX_STALLED);
	inherit(PTHREAD_MUTEX_ERRORCHECK, PTHREAD_MUTEX_ROBUST);

	begin(PTHREAD_PRIO_PROTECT, PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_STALLED);
	show_error(pthread_mutex_getprioceiling(&lock, &ceiling));
	printf("the lowest: %d\n", ceiling == sched_get_priority_min(SCHED_FIFO));
	show_error(pthread_mutex_setprioceiling(&lock, 1000, &old));
	join(spawn(lock_in_vain, NULL));
	join(spawn(lock_in_vain, &lock)); /* an ordinary thread cannot have its priority raised */
	show_error(pthread_mutex_destroy(&lock));
	return 0;
}
