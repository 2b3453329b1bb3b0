/* The sleeps: sleep, usleep, nanosleep, clock_nanosleep, thrd_sleep.
 *
 * A handler ends each of them, with SA_RESTART too (signal(7)); what is left of the time is then given back. A sleep of nothing lets the others
 * run once. */
#define PATCH_FAMILY PATCH_FAMILY_TIME

#include <threads.h>
#include <time.h>

#include "shim/libc/poll.h"

enum {
	/* How often a clock that may be set, or runs by another measure than real time, is looked at again. */
	LOOK_REALTIME = 1000000000,
	LOOK_CPU = 5000000,
};

/* 0 or EINTR, and then what is left of the time. */
static int sleep_for(int64_t ns, int64_t *left)
{
	io_cancellation_point();
	if (ns <= 0) {
		patch_gev->yield();
		return 0;
	}
	int64_t until = io_after(ns);
	int r = io_sleep(until);
	if (r == -ECANCELED)
		io_cancellation_point();
	if (likely(r != -EINTR))
		return 0;
	*left = until == GEV_NEVER ? ns : until - io_now();
	/* Over by the time the handler has run: so says the kernel, too. */
	return *left > 0 ? EINTR : 0;
}

static void give_left(struct timespec *out, int64_t left)
{
	if (out)
		*out = (struct timespec){.tv_sec = left / 1000000000, .tv_nsec = left % 1000000000};
}

/* As nanosleep does. */
static int sleep_wanted(const struct timespec *want, struct timespec *out)
{
	int64_t left = 0;
	if (sleep_for(poll_nanoseconds(want), &left) == 0)
		return 0;
	give_left(out, left);
	errno = EINTR;
	return -1;
}

static int64_t read_clock(clockid_t clock)
{
	struct timespec now;
	clock_gettime(clock, &now);
	return poll_nanoseconds(&now);
}

/* Until that clock shows `until`: in slices, after each of which it is read again. */
static int sleep_by(clockid_t clock, int64_t until, int64_t slice)
{
	io_cancellation_point();
	for (int64_t left; (left = until - read_clock(clock)) > 0;) {
		int r = io_sleep(io_after(left < slice ? left : slice));
		if (r == -ECANCELED)
			io_cancellation_point();
		if (r < 0)
			return r == -EINTR ? EINTR : 0;
	}
	return 0;
}

unsigned patch_sleep(unsigned seconds)
{
	if (!patch_green())
		return real.sleep(seconds);
	int64_t left = 0;
	/* Whole seconds, rounded down (glibc sysdeps/posix/sleep.c). */
	return sleep_for(seconds * INT64_C(1000000000), &left) ? (unsigned)(left / 1000000000) : 0;
}
EXPORT(sleep);

int patch_usleep(useconds_t microseconds)
{
	if (!patch_green())
		return real.usleep(microseconds);
	int64_t left = 0;
	if (sleep_for(microseconds * INT64_C(1000), &left) == 0)
		return 0;
	errno = EINTR;
	return -1;
}
EXPORT(usleep);

int patch_nanosleep(const struct timespec *want, struct timespec *left)
{
	if (!patch_green())
		return real.nanosleep(want, left);
	io_cancellation_point();
	if (want == NULL || !poll_time_valid(want))
		return real.nanosleep(want, left);
	return sleep_wanted(want, left);
}
EXPORT(nanosleep);
EXPORT_AS(__nanosleep, nanosleep);

int patch_clock_nanosleep(clockid_t clock, int flags, const struct timespec *want, struct timespec *left)
{
	static const struct timespec nothing;
	if (!patch_green())
		return real.clock_nanosleep(clock, flags, want, left);
	io_cancellation_point();
	/* libc's own words for clocks that cannot be slept by, or do not exist. */
	if (want == NULL || !poll_time_valid(want))
		return real.clock_nanosleep(clock, flags, want, left);
	int r = clock == CLOCK_REALTIME || clock == CLOCK_MONOTONIC ? 0
								    : real.clock_nanosleep(clock, 0, &nothing, NULL);
	if (r != 0 && r != EINTR) /* a tick of ours may come just then */
		return r;
	int64_t ns = poll_nanoseconds(want);
	bool absolute = (flags & TIMER_ABSTIME) != 0;
	int64_t rest = 0;
	switch (clock) {
	case CLOCK_MONOTONIC:
		r = sleep_for(absolute && ns != GEV_NEVER ? ns - io_now() : ns, &rest);
		break;
	case CLOCK_REALTIME:
	case CLOCK_TAI:
	case CLOCK_BOOTTIME:
	case CLOCK_REALTIME_ALARM:
	case CLOCK_BOOTTIME_ALARM:
		/* Relative ones do not move when the clock is set (POSIX clock_nanosleep()). */
		if (absolute)
			r = sleep_by(clock, ns, LOOK_REALTIME);
		else
			r = sleep_for(ns, &rest);
		break;
	default: {
		/* A processor-time clock. It goes on only while others run, which they could not if this thread
		 * slept for real. */
		int64_t until = absolute ? ns : read_clock(clock) + ns;
		r = sleep_by(clock, until, LOOK_CPU);
		rest = r ? until - read_clock(clock) : 0;
	}
	}
	if (r == EINTR && !absolute)
		give_left(left, rest > 0 ? rest : 0);
	return r;
}
EXPORT(clock_nanosleep);

int patch_thrd_sleep(const struct timespec *want, struct timespec *left)
{
	if (!patch_green())
		return real.thrd_sleep(want, left);
	io_cancellation_point();
	if (want == NULL || !poll_time_valid(want))
		return real.thrd_sleep(want, left);
	/* C11 7.26.5.7: -1 when a signal has interrupted it; errno is not said to be touched, and is not. */
	int saved = errno;
	int r = sleep_wanted(want, left);
	errno = saved;
	return r;
}
EXPORT(thrd_sleep);
