/* clock.h: time inside is absolute CLOCK_MONOTONIC nanoseconds; the public API speaks seconds as double. */
#ifndef GEV_BASE_CLOCK_H
#define GEV_BASE_CLOCK_H

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <time.h>

#define NS_PER_S INT64_C(1000000000)
#define NEVER INT64_MAX

static inline int64_t gev__now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * NS_PER_S + t.tv_nsec;
}

static inline struct timespec gev__timespec(int64_t ns)
{
	return (struct timespec){.tv_sec = ns / NS_PER_S, .tv_nsec = ns % NS_PER_S};
}

/* A relative time-out in seconds as a deadline: infinity never comes, zero or less has passed (so that `deadline - now`, a
 * microsecond late, does not become for ever), NaN is -EINVAL. Half a century and more is never. */
static inline int gev__deadline(double seconds, int64_t *deadline)
{
	if (seconds > 1.6e9)
		*deadline = NEVER;
	else if (isnan(seconds))
		return -EINVAL;
	else if (seconds <= 0)
		*deadline = 0;
	else
		*deadline = gev__now() + (int64_t)(seconds * 1e9 + 0.5);
	return 0;
}

#endif
