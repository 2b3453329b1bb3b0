/* micro.h: what the programs of micro-benchmarks share, so that they differ only in what they measure.
 *
 * Each prints one JSON object a line, {"what": "yield, 2 runnable", "ns": 12.3}; equal rows of different programs have equal names. C and C++. */
#ifndef BENCH_MICRO_H
#define BENCH_MICRO_H

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define ROW_RAW "raw switch"
#define ROW_RAW_IDENTITY "raw switch that changes identity"
#define ROW_YIELD_2 "yield, 2 runnable"
#define ROW_YIELD_1000 "yield, 1000 runnable"
#define ROW_SPAWN "spawn, run, join"
#define ROW_SEMAPHORE "hand-off by semaphore or condition"
#define ROW_CHANNEL "hand-off by channel or queue"

static double micro_scale = 1;

static inline void micro_begin(int argc, char **argv)
{
	if (argc > 1)
		micro_scale = strtod(argv[1], NULL);
	if (!(micro_scale > 0 && micro_scale <= 100))
		exit(2);
}

static inline long micro_times(long n)
{
	return (long)((double)n * micro_scale) + 1;
}

static inline double micro_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static inline void micro_report(const char *what, double seconds, long n)
{
	printf("{\"what\": \"%s\", \"ns\": %.2f}\n", what, seconds * 1e9 / (double)n);
	fflush(stdout);
}

static inline void micro_must(int ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "%s went wrong\n", what);
	exit(1);
}

#endif
