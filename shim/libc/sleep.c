/* The sleeps: sleep, usleep, nanosleep, clock_nanosleep, thrd_sleep.
 *
 * Every one ends as a native one that no signal interrupts: a parked greenlet does not meet handlers yet. A sleep
 * of nothing lets the others run once. */
#define PATCH_FAMILY PATCH_FAMILY_TIME

#include <threads.h>
#include <time.h>

#include "shim/libc/poll.h"

enum {
	/* How often a clock that may be set, or runs by another measure than real time, is looked at again. */
	LOOK_REALTIME = 1000000000,
	LOOK_CPU = 5000000,
};

static void sleep_for(int64_t ns)
{
	io_cancellation_point();
	if (ns <= 0)
		patch_gev->yield();
	else if (patch_gev->sleep_until(io_after(ns), GEV_PARK_KILLABLE) == -ECANCELED)
		io_cancellation_point();
}

static int64_t read_clock(clockid_t clock)
{
	struct timespec now;
	clock_gettime(clock, &now);
	return poll_nanoseconds(&now);
}

/* Until that clock shows `until`: in slices, after each of which it is read again. */
static void sleep_by(clockid_t clock, int64_t until, int64_t slice)
{
	io_cancellation_point();
	for (int64_t left; (left = until - read_clock(clock)) > 0;) {
		if (patch_gev->sleep_until(io_after(left < slice ? left : slice), GEV_PARK_KILLABLE) == -ECANCELED) {
			io_cancellation_point();
			return;
		}
	}
}

unsigned patch_sleep(unsigned seconds)
{
	if (!patch_green())
		return real.sleep(seconds);
	sleep_for(seconds * INT64_C(1000000000));
	return 0;
}
EXPORT(sleep);

int patch_usleep(useconds_t microseconds)
{
	if (!patch_green())
		return real.usleep(microseconds);
	sleep_for(microseconds * INT64_C(1000));
	return 0;
}
EXPORT(usleep);

int patch_nanosleep(const struct timespec *want, struct timespec *left)
{
	if (!patch_green() || want == NULL || !poll_time_valid(want))
		return real.nanosleep(want, left);
	sleep_for(poll_nanoseconds(want));
	return 0;
}
EXPORT(nanosleep);
EXPORT_AS(__nanosleep, nanosleep);

int patch_clock_nanosleep(clockid_t clock, int flags, const struct timespec *want, struct timespec *left)
{
	static const struct timespec nothing;
	/* libc's own words for clocks that cannot be slept by, or do not exist. */
	if (!patch_green() || want == NULL || !poll_time_valid(want))
		return real.clock_nanosleep(clock, flags, want, left);
	int r = clock == CLOCK_REALTIME || clock == CLOCK_MONOTONIC ? 0
								    : real.clock_nanosleep(clock, 0, &nothing, NULL);
	if (r != 0)
		return r;
	int64_t ns = poll_nanoseconds(want);
	bool absolute = (flags & TIMER_ABSTIME) != 0;
	switch (clock) {
	case CLOCK_MONOTONIC:
		sleep_for(absolute && ns != GEV_NEVER ? ns - io_now() : ns);
		break;
	case CLOCK_REALTIME:
	case CLOCK_TAI:
	case CLOCK_BOOTTIME:
	case CLOCK_REALTIME_ALARM:
	case CLOCK_BOOTTIME_ALARM:
		/* Relative ones do not move when the clock is set (POSIX clock_nanosleep()). */
		if (absolute)
			sleep_by(clock, ns, LOOK_REALTIME);
		else
			sleep_for(ns);
		break;
	default:
		/* A processor-time clock. It goes on only while others run, which they could not if this thread
		 * slept for real. */
		sleep_by(clock, absolute ? ns : read_clock(clock) + ns, LOOK_CPU);
	}
	return 0;
}
EXPORT(clock_nanosleep);

int patch_thrd_sleep(const struct timespec *want, struct timespec *left)
{
	if (!patch_green() || want == NULL || !poll_time_valid(want))
		return real.thrd_sleep(want, left);
	sleep_for(poll_nanoseconds(want));
	return 0;
}
EXPORT(thrd_sleep);
