/* Virtual time: the clock of the process under test stands still unless somebody passes it.
 *
 * This program's own clock_gettime and epoll_wait stand before libc's for all of it, libev included, and the table of libc calls has
 * one futex of ours. When the hub would sleep until a deadline, the clock jumps there; when it would sleep without one and nothing
 * is ready, nobody could ever wake it (there is one OS thread), and that is a failure: somebody's wake was lost. */
#include <errno.h>
#include <linux/futex.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/sys.h"
#include "tests/random/random.h"

static bool on;
static int64_t clock_ns;
static int64_t armed = INT64_MAX; /* what the hub's timer descriptor is set to */
static int timer_fd = -1;
static struct rng jitter;

static int64_t real_ns(clockid_t id)
{
	struct timespec t;
	syscall(SYS_clock_gettime, id, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

/* Seen by libev too. */
#define IN_FRONT __attribute__((visibility("default")))

IN_FRONT int clock_gettime(clockid_t id, struct timespec *t)
{
	if (on && id == CLOCK_MONOTONIC) {
		clock_ns += 20 + (int64_t)below(&jitter, 40); /* even looking takes time */
		*t = gev__timespec(clock_ns);
		return 0;
	}
	return (int)syscall(SYS_clock_gettime, id, t);
}

int64_t now_ns(void)
{
	return on ? clock_ns : real_ns(CLOCK_MONOTONIC);
}

void virtual_pass(int64_t ns)
{
	if (on)
		clock_ns += ns;
}

static void jump(int64_t deadline)
{
	if (deadline == INT64_MAX)
		fail("the hub sleeps without a deadline: nobody could ever wake it");
	if (clock_ns < deadline)
		clock_ns = deadline;
}

static void expire(void)
{
	struct itimerspec at_once = {.it_value.tv_nsec = 1};
	timerfd_settime(timer_fd, TFD_TIMER_ABSTIME, &at_once, NULL);
	armed = INT64_MAX;
}

static long kernel_epoll_wait(int fd, struct epoll_event *events, int n)
{
	return syscall(SYS_epoll_pwait, fd, events, n, 0, NULL, 0);
}

IN_FRONT int epoll_wait(int fd, struct epoll_event *events, int n, int timeout)
{
	if (!on)
		return (int)syscall(SYS_epoll_pwait, fd, events, n, timeout, NULL, 0);
	if (armed <= clock_ns)
		expire();
	long r = kernel_epoll_wait(fd, events, n);
	if (r != 0 || timeout == 0)
		return (int)r;
	jump(armed);
	expire();
	return (int)kernel_epoll_wait(fd, events, n);
}

static int virtual_timerfd_settime(int fd, int flags, const struct itimerspec *new_value, struct itimerspec *old_value)
{
	const struct timespec *t = &new_value->it_value;
	timer_fd = fd;
	armed = t->tv_sec || t->tv_nsec ? t->tv_sec * INT64_C(1000000000) + t->tv_nsec : INT64_MAX;
	return 0;
}

static long virtual_syscall(long number, long a, long b, long c, long d, long e, long f)
{
	if (number == SYS_futex && (b & FUTEX_CMD_MASK) == FUTEX_WAIT_BITSET) {
		const struct timespec *t = (const struct timespec *)d;
		jump(t ? t->tv_sec * INT64_C(1000000000) + t->tv_nsec : INT64_MAX);
		errno = ETIMEDOUT;
		return -1;
	}
	return syscall(number, a, b, c, d, e, f);
}

void virtual_forked(void)
{
	armed = INT64_MAX;
}

void virtual_start(bool yes)
{
	if (!yes)
		return;
	jitter.state = world.seed ^ 0x717;
	clock_ns = 1000 * MS;
	on = true;
	gev__sys.timerfd_settime = virtual_timerfd_settime;
	gev__sys.syscall = virtual_syscall;
}
