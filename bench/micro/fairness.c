/* Twenty threads that sleep 5 ms again and again beside one that only computes: how late do they wake? Plain POSIX; natively and preloaded it is the
 * same binary. With an argument of its own, "compute", only the computing thread and one that waits for its end: what do time slices cost it?
 *
 *     fairness SECONDS [compute]
 */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SLEEPERS = 20, SLEEP_NS = 5000000, MOST = 200000 };

static volatile int stop;
static volatile uint64_t work;
static double seconds;
static int64_t late[MOST];
static int n_late; /* atomic */

static int64_t now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static void *compute(void *arg)
{
	while (!stop)
		work = work * 6364136223846793005U + 1;
	return arg;
}

static void *compute_so_much(void *arg)
{
	for (uint64_t i = 0; i < (uint64_t)(seconds * 3e8); i++)
		work = work * 6364136223846793005U + 1;
	return arg;
}

static void *sleep_often(void *arg)
{
	int64_t end = now() + (int64_t)(seconds * 1e9);
	const struct timespec span = {.tv_nsec = SLEEP_NS};
	for (int64_t before = now(); before < end; before = now()) {
		nanosleep(&span, NULL);
		int64_t by = now() - before - SLEEP_NS;
		int at = __atomic_fetch_add(&n_late, 1, __ATOMIC_RELAXED);
		if (at < MOST)
			late[at] = by;
	}
	return arg;
}

static int compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
	pthread_t t[SLEEPERS], computing;
	seconds = argc > 1 ? atof(argv[1]) : 2;
	if (argc > 2 && strcmp(argv[2], "compute") == 0) {
		struct timespec used;
		pthread_create(&computing, NULL, compute_so_much, NULL);
		pthread_join(computing, NULL);
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
		printf("{\"cpu_ms\": %.2f}\n", (double)used.tv_sec * 1e3 + (double)used.tv_nsec / 1e6);
		return 0;
	}
	pthread_create(&computing, NULL, compute, NULL);
	for (int i = 0; i < SLEEPERS; i++)
		pthread_create(&t[i], NULL, sleep_often, NULL);
	for (int i = 0; i < SLEEPERS; i++)
		pthread_join(t[i], NULL);
	stop = 1;
	pthread_join(computing, NULL);
	int n = n_late < MOST ? n_late : MOST;
	qsort(late, (size_t)n, sizeof *late, compare);
	int half = n / 2, nearly_all = n * 99 / 100;
	printf("{\"sleeps\": %d, \"late_p50_us\": %.0f, \"late_p99_us\": %.0f, \"late_max_us\": %.0f}\n", n,
	       (double)late[half] / 1e3, (double)late[nearly_all] / 1e3, (double)late[n - 1] / 1e3);
	return 0;
}
