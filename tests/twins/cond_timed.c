/* timedwait on either clock, clockwait: time-outs, past and invalid deadlines, a signal in time. The mutex is held
 * afterwards. */
#include "twin.h"

static pthread_mutex_t lock = PTHREAD_ERRORCHECK_MUTEX_INITIALIZER_NP;
static pthread_cond_t real_time = PTHREAD_COND_INITIALIZER, monotonic;
static pthread_cond_t *target;
static int flag, here;

static void *set_flag(void *arg)
{
	pthread_mutex_lock(&lock);
	flag = 1;
	pthread_cond_signal(target);
	pthread_mutex_unlock(&lock);
	return arg;
}

/* The lock is held when the wait is over, whatever ended it: unlocking it again must not give EPERM. */
#define timed(clock, call)                                                                                             \
	do {                                                                                                           \
		struct timespec t = after(clock, 0.05);                                                                \
		double began = now();                                                                                  \
		check(pthread_mutex_lock(&lock) == 0);                                                                 \
		int result;                                                                                            \
		do                                                                                                     \
			result = call;                                                                                 \
		while (result == 0);                                                                                   \
		printf("%s: %s\n", #call, strerrorname_np(result));                                                    \
		check(now() - began >= 0.049);                                                                         \
		show_error(pthread_mutex_unlock(&lock));                                                               \
	} while (0)

static void signalled(pthread_cond_t *cond, clockid_t clock)
{
	struct timespec t = after(clock, 10);
	int result = 0;
	flag = 0;
	target = cond;
	pthread_mutex_lock(&lock);
	pthread_t other = spawn(set_flag, NULL);
	if (!here++)
		report_threads();
	while (!flag && result == 0)
		result = pthread_cond_timedwait(cond, &lock, &t);
	printf("signalled in time: flag %d, %s\n", flag, strerrorname_np(result));
	pthread_mutex_unlock(&lock);
	join(other);
}

int main(void)
{
	pthread_condattr_t attr;
	clockid_t clock;
	check(pthread_condattr_init(&attr) == 0);
	show_error(pthread_condattr_setclock(&attr, CLOCK_PROCESS_CPUTIME_ID));
	show_error(pthread_condattr_setclock(&attr, CLOCK_MONOTONIC));
	check(pthread_condattr_getclock(&attr, &clock) == 0 && clock == CLOCK_MONOTONIC);
	check(pthread_cond_init(&monotonic, &attr) == 0);

	signalled(&real_time, CLOCK_REALTIME);
	signalled(&monotonic, CLOCK_MONOTONIC);
	beside_begin();
	timed(CLOCK_REALTIME, pthread_cond_timedwait(&real_time, &lock, &t));
	timed(CLOCK_MONOTONIC, pthread_cond_timedwait(&monotonic, &lock, &t));
	timed(CLOCK_MONOTONIC, pthread_cond_clockwait(&real_time, &lock, CLOCK_MONOTONIC, &t));
	timed(CLOCK_REALTIME, pthread_cond_clockwait(&monotonic, &lock, CLOCK_REALTIME, &t));

	beside_end();

	struct timespec past = {1, 0}, bad = {1, 1000000000};
	pthread_mutex_lock(&lock);
	show_error(pthread_cond_timedwait(&real_time, &lock, &past));
	show_error(pthread_cond_timedwait(&real_time, &lock, &bad));
	show_error(pthread_cond_clockwait(&real_time, &lock, CLOCK_PROCESS_CPUTIME_ID, &past));
	show_error(pthread_mutex_unlock(&lock));
	show_error(pthread_cond_wait(&real_time, &lock));
	return 0;
}
