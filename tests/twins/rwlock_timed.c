/* The timed forms of read-write locks: deadlines that pass, have passed or are wrong, on both clocks; and one that
 * is met. */
#include "twin.h"

static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
static sem_t here;

static void *in_vain(void *arg)
{
	struct timespec past = {1, 0}, wrong = {1, 1000000000};
	double began = now();
	struct timespec soon = after(CLOCK_REALTIME, 0.03);
	show_error(pthread_rwlock_timedrdlock(&lock, &soon));
	soon = after(CLOCK_REALTIME, 0.03);
	show_error(pthread_rwlock_timedwrlock(&lock, &soon));
	soon = after(CLOCK_MONOTONIC, 0.03);
	show_error(pthread_rwlock_clockrdlock(&lock, CLOCK_MONOTONIC, &soon));
	soon = after(CLOCK_MONOTONIC, 0.03);
	show_error(pthread_rwlock_clockwrlock(&lock, CLOCK_MONOTONIC, &soon));
	check(now() - began >= 0.115);
	show_error(pthread_rwlock_timedrdlock(&lock, &past));
	show_error(pthread_rwlock_timedwrlock(&lock, &past));
	show_error(pthread_rwlock_timedrdlock(&lock, &wrong));
	show_error(pthread_rwlock_timedwrlock(&lock, &wrong));
	show_error(pthread_rwlock_clockrdlock(&lock, CLOCK_PROCESS_CPUTIME_ID, &past));
	show_error(pthread_rwlock_clockwrlock(&lock, CLOCK_PROCESS_CPUTIME_ID, &past));
	sem_post(&here);
	soon = after(CLOCK_REALTIME, 10);
	int result = arg ? pthread_rwlock_timedwrlock(&lock, &soon) : pthread_rwlock_timedrdlock(&lock, &soon);
	printf("in time: %d\n", result == 0 && pthread_rwlock_unlock(&lock) == 0);
	return NULL;
}

int main(void)
{
	sem_init(&here, 0, 0);
	for (long i = 0; i < 2; i++) {
		pthread_rwlock_wrlock(&lock);
		pthread_t t = spawn(in_vain, (void *)i);
		report_threads();
		beside_begin();
		wait_for(&here);
		beside_end();
		pthread_rwlock_unlock(&lock);
		join(t);
	}
	/* A writer that gave up must not keep readers out. */
	pthread_rwlock_rdlock(&lock);
	show_error(pthread_rwlock_tryrdlock(&lock));
	show_error(pthread_rwlock_unlock(&lock));
	show_error(pthread_rwlock_unlock(&lock));
	show_error(pthread_rwlock_trywrlock(&lock));
	return 0;
}
