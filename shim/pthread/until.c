/* Deadlines and naps. */
#include "shim/pthread/until.h"

#include "shim/base/patch.h"

static int64_t clock_now(clockid_t clock)
{
	struct timespec t;
	clock_gettime(clock, &t);
	return t.tv_sec * (int64_t)PATCH_NS + t.tv_nsec;
}

int64_t patch_now(void)
{
	return clock_now(CLOCK_MONOTONIC);
}

static int64_t nanoseconds(const struct timespec *at)
{
	if (at->tv_sec < 0)
		return 0;
	if (at->tv_sec >= INT64_MAX / PATCH_NS)
		return GEV_NEVER;
	return at->tv_sec * (int64_t)PATCH_NS + at->tv_nsec;
}

int64_t patch_until(clockid_t clock, const struct timespec *at)
{
	if (at == NULL)
		return GEV_NEVER;
	int64_t until = nanoseconds(at);
	if (clock == CLOCK_MONOTONIC || until == GEV_NEVER)
		return until;
	/* The wall clock first: what passes between the two readings makes the wait longer, never shorter. */
	int64_t left = until - clock_now(CLOCK_REALTIME);
	if (left <= 0)
		return 0;
	int64_t now = patch_now();
	return left >= GEV_NEVER - now ? GEV_NEVER : now + left;
}

bool patch_reached(clockid_t clock, const struct timespec *at)
{
	return clock_now(clock) >= nanoseconds(at);
}

int patch_nap(int64_t *step, int64_t deadline, unsigned flags)
{
	enum { FIRST = 20000, LAST = 1000000 };
	*step = *step ? *step * 2 : FIRST;
	if (*step > LAST)
		*step = LAST;
	int64_t now = patch_now();
	int64_t until = deadline - now < *step ? deadline : now + *step;
	if (until <= now)
		return 0;
	if (patch_green())
		return patch_gev->sleep_until(until, flags);
	struct timespec t = {.tv_sec = until / PATCH_NS, .tv_nsec = until % PATCH_NS};
	real.clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
	return 0;
}
