/* timedlock and clocklock: the deadline passes, has passed, is invalid; the mutex comes free in time; each kind. */
#include "twin.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static sem_t here, timed_out;

static void *try_in_vain(void *arg)
{
	struct timespec real = after(CLOCK_REALTIME, 0.05), mono = after(CLOCK_MONOTONIC, 0.1), past = {1, 0},
			bad = {1, 1000000000}, negative = {-1, 0};
	double began = now();
	show_error(pthread_mutex_timedlock(&lock, &real));
	check(now() - began >= 0.049);
	show_error(pthread_mutex_clocklock(&lock, CLOCK_MONOTONIC, &mono));
	check(now() - began >= 0.099);
	show_error(pthread_mutex_timedlock(&lock, &past));
	show_error(pthread_mutex_timedlock(&lock, &bad));
	show_error(pthread_mutex_timedlock(&lock, &negative));
	show_error(pthread_mutex_clocklock(&lock, CLOCK_PROCESS_CPUTIME_ID, &past));
	sem_post(&timed_out);
	struct timespec late = after(CLOCK_REALTIME, 10);
	show_error(pthread_mutex_timedlock(&lock, &late));
	show_error(pthread_mutex_unlock(&lock));
	late = after(CLOCK_MONOTONIC, 10);
	show_error(pthread_mutex_clocklock(&lock, CLOCK_MONOTONIC, &late));
	show_error(pthread_mutex_unlock(&lock));
	return arg;
}

int main(void)
{
	sem_init(&here, 0, 0);
	sem_init(&timed_out, 0, 0);
	pthread_mutex_lock(&lock);
	pthread_t t = spawn(try_in_vain, NULL);
	report_threads();
	beside_begin();
	wait_for(&timed_out);
	beside_end();
	pthread_mutex_unlock(&lock);
	join(t);

	/* A free mutex is taken however late it is, and whatever the deadline says. */
	struct timespec past = {1, 0}, bad = {1, -1};
	show_error(pthread_mutex_timedlock(&lock, &past));
	show_error(pthread_mutex_unlock(&lock));
	show_error(pthread_mutex_timedlock(&lock, &bad));
	show_error(pthread_mutex_unlock(&lock));

	pthread_mutex_t checked = PTHREAD_ERRORCHECK_MUTEX_INITIALIZER_NP,
			recursive = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
	struct timespec late = after(CLOCK_REALTIME, 10);
	show_error(pthread_mutex_timedlock(&checked, &late));
	show_error(pthread_mutex_timedlock(&checked, &late));
	show_error(pthread_mutex_unlock(&checked));
	show_error(pthread_mutex_timedlock(&recursive, &late));
	show_error(pthread_mutex_timedlock(&recursive, &late));
	show_error(pthread_mutex_unlock(&recursive));
	show_error(pthread_mutex_unlock(&recursive));
	show_error(pthread_mutex_unlock(&recursive));
	return 0;
}
