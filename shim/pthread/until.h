/* until.h: points in time as POSIX gives them, as the runtime takes them (absolute CLOCK_MONOTONIC nanoseconds).
 *
 * A CLOCK_REALTIME deadline is converted when the wait begins and held against that clock again when it ends: if the
 * clock was set back meanwhile, the wait goes on. If it was set forward the wait ends late; libc's own would be told
 * by the kernel. */
#ifndef PATCH_PTHREAD_UNTIL_H
#define PATCH_PTHREAD_UNTIL_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "gev/embed.h"

enum { PATCH_NS = 1000000000 };

/* The clocks that the pthread_* family takes (glibc, nptl: futex_abstimed_supported_clockid). */
static inline bool patch_clock_ok(clockid_t clock)
{
	return clock == CLOCK_REALTIME || clock == CLOCK_MONOTONIC;
}

static inline bool patch_time_ok(const struct timespec *at)
{
	return at->tv_nsec >= 0 && at->tv_nsec < PATCH_NS;
}

int64_t patch_now(void);

/* NULL: GEV_NEVER. */
int64_t patch_until(clockid_t clock, const struct timespec *at);

/* Whether that clock has reached it. */
bool patch_reached(clockid_t clock, const struct timespec *at);

/* Sleeps a little, longer each time, 1 ms at most, not beyond the deadline: for what only the kernel or another
 * process could tell. Parks a greenlet; an OS thread sleeps. *step starts at 0. -ECANCELED only with
 * GEV_PARK_KILLABLE. */
int patch_nap(int64_t *step, int64_t deadline, unsigned flags);

#endif
