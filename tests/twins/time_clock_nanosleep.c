/* clock_nanosleep: relative and absolute, on both clocks, in the past, with wrong arguments. It returns the error
 * number. */
#include "twin.h"

enum { THREADS = 8 };

static void *run(void *arg)
{
	long i = (long)arg;
	clockid_t clock = i % 2 ? CLOCK_REALTIME : CLOCK_MONOTONIC;
	struct timespec relative = {0, 200000000}, absolute;
	together(THREADS, i % 4 < 2 ? clock_nanosleep(clock, 0, &relative, NULL) == 0
				    : (absolute = after(clock, 0.2),
				       clock_nanosleep(clock, TIMER_ABSTIME, &absolute, NULL) == 0));
	return NULL;
}

int main(void)
{
	pthread_t t[THREADS];
	double began = now();
	for (long i = 0; i < THREADS; i++)
		t[i] = spawn(run, (void *)i);
	report_threads();

	struct timespec past = {1, 0}, too_many = {0, 1000000000}, negative = {-1, 0}, none = {0, 0},
			little = {0, 1000000};
	errno = 0;
	show_error(clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &past, NULL));
	show_error(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &past, NULL));
	show_error(clock_nanosleep(CLOCK_MONOTONIC, 0, &none, NULL));
	show_error(clock_nanosleep(CLOCK_MONOTONIC, 0, &too_many, NULL));
	show_error(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &too_many, NULL));
	show_error(clock_nanosleep(CLOCK_REALTIME, 0, &negative, NULL));
	show_error(clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &negative, NULL));
	show_error(clock_nanosleep(CLOCK_THREAD_CPUTIME_ID, 0, &little, NULL));
	show_error(clock_nanosleep(12345, 0, &little, NULL));
	show_error(clock_nanosleep(12345, 0, &too_many, NULL));
	show_error(clock_nanosleep(CLOCK_BOOTTIME, 0, &little, NULL));
	printf("errno is not touched: %d\n", errno == 0);

	for (int i = 0; i < THREADS; i++)
		join(t[i]);
	double took = now() - began;
	printf("not early: %d\n", took >= 0.199);
	return 0;
}
