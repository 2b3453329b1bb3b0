/* Timeouts: one deadline for a stretch of code, nested, told apart by object. */
#include <criterion/criterion.h>
#include <gev/gev.h>

#include <errno.h>
#include <math.h>
#include <poll.h>
#include <stdint.h>
#include <sys/socket.h>

#include "gev/embed.h"
#include "lib/base/clock.h"
#include "lib/core/lot.h"
#include "lib/core/park.h"
#include "lib/io/readiness.h"

static int said(int r)
{
	return r < 0 ? errno : 0;
}

static void *never(void *arg)
{
	gev_sleep(GEV_FOREVER);
	return NULL;
}

static int read_nothing(double timeout)
{
	int fds[2];
	char c;
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	int r = said((int)gev_recv(fds[0], &c, 1, 0, timeout));
	gev_close(fds[0]);
	gev_close(fds[1]);
	return r;
}

Test(timeout, ends_every_blocking_call_until_its_end)
{
	struct gev_greenlet *g = gev_spawn(never, NULL);
	struct gev_timeout t;
	for (int i = 0; i < 4; i++) {
		double from = gev_now();
		cr_expect_eq(gev_timeout_begin(&t, 0.01), 0);
		int r = i == 0 ? said(gev_sleep(100))
		      : i == 1 ? said(gev_join(g, 100, NULL))
		      : i == 2 ? read_nothing(100)
			       : said((int)gev_joinall(&g, 1, 0, GEV_FOREVER));
		cr_expect_eq(r, ETIMEDOUT, "call %d: %d", i, r);
		cr_expect_geq(gev_now() - from, 0.01);
		cr_expect(gev_timeout_fired(&t));
		cr_expect_eq(said(gev_sleep(100)), ETIMEDOUT, "and later");
		cr_expect_eq(said(gev_sleep(0)), ETIMEDOUT);
		cr_expect_eq(read_nothing(GEV_FOREVER), ETIMEDOUT);
		cr_expect(gev_timeout_end(&t));
		cr_expect_eq(said(gev_sleep(0.001)), 0, "not after its end");
		cr_expect(gev_timeout_end(&t), "again it only answers");
	}
}

/* poll's own time is no error, and the stretch's is. */
static const struct {
	const char *desc;
	nfds_t n;
	short events;
	double timeout;
} polls[] = {
	{"readable", 1, POLLIN, 100},
	{"for ever", 1, POLLIN, GEV_FOREVER},
	{"urgent data", 1, POLLPRI, 100},
	{"nothing at all", 0, 0, 100},
	{"what hang-ups are reported of without being asked for", 1, 0, GEV_FOREVER},
};

Test(timeout, ends_a_poll_and_is_told_from_its_own_time)
{
	int fds[2];
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	for (size_t i = 0; i < sizeof polls / sizeof *polls; i++) {
		struct pollfd p = {.fd = fds[0], .events = polls[i].events};
		struct gev_timeout t;
		cr_assert_eq(gev_timeout_begin(&t, 100), 0);
		cr_expect_eq(gev_poll(&p, polls[i].n, 0.001), 0, "%s", polls[i].desc);
		cr_expect_not(gev_timeout_end(&t));
		cr_assert_eq(gev_timeout_begin(&t, 0.01), 0);
		cr_expect_eq(gev_poll(&p, polls[i].n, polls[i].timeout), -1, "%s", polls[i].desc);
		cr_expect_eq(errno, ETIMEDOUT, "%s", polls[i].desc);
		struct gev_fd_want want = {.fd = fds[0], .poll_events = POLLPRI};
		cr_expect_eq(gev__fds_wait(&want, 1, gev__now() + NS_PER_S, GEV_PARK_KILLABLE), -ETIMEDOUT);
		cr_expect_eq(gev__fds_wait(&want, 1, gev__now() + NS_PER_S / 1000, 0), 0, "no kill point");
		cr_expect(gev_timeout_end(&t));
		cr_expect_eq(gev_poll(&p, polls[i].n, 0.001), 0, "%s: not after its end", polls[i].desc);
	}
}

Test(timeout, leaves_alone_what_is_in_time)
{
	struct gev_timeout t;
	cr_expect_eq(gev_timeout_begin(&t, 100), 0);
	cr_expect_eq(said(gev_sleep(0.002)), 0);
	cr_expect_eq(read_nothing(0.002), ETIMEDOUT, "its own");
	cr_expect_not(gev_timeout_fired(&t));
	cr_expect_not(gev_timeout_end(&t));
}

static int work(struct gev_timeout *inner, double seconds, double sleep)
{
	gev_timeout_begin(inner, seconds);
	int r = said(gev_sleep(sleep));
	gev_timeout_end(inner);
	return r;
}

static const struct {
	const char *desc;
	double outer, inner, sleep;
	int error;
	bool outer_fired, inner_fired;
} nested[] = {
	{"neither", 10, 10, 0.001, 0, false, false},
	{"the inner one", 10, 0.002, 5, ETIMEDOUT, false, true},
	{"the outer one", 0.002, 10, 5, ETIMEDOUT, true, false},
	{"no time at all inside", 10, 0, 5, ETIMEDOUT, false, true},
	{"less than none outside", -1, 10, 5, ETIMEDOUT, true, false},
	{"no time in either: the outer one", 0, 0, 5, ETIMEDOUT, true, false},
	{"no limit inside", 0.002, INFINITY, 5, ETIMEDOUT, true, false},
	{"no limit outside", INFINITY, 0.002, 5, ETIMEDOUT, false, true},
};

Test(timeout, nested_ones_are_told_apart)
{
	for (size_t i = 0; i < sizeof nested / sizeof *nested; i++) {
		struct gev_timeout outer, inner;
		gev_timeout_begin(&outer, nested[i].outer);
		int r = work(&inner, nested[i].inner, nested[i].sleep);
		cr_expect_eq(r, nested[i].error, "%s", nested[i].desc);
		cr_expect_eq(gev_timeout_fired(&inner), nested[i].inner_fired, "%s", nested[i].desc);
		cr_expect_eq(gev_timeout_fired(&outer), nested[i].outer_fired, "%s", nested[i].desc);
		cr_expect_eq(said(gev_sleep(0.0001)), nested[i].outer_fired ? ETIMEDOUT : 0, "%s: afterwards",
			     nested[i].desc);
		cr_expect_eq(gev_timeout_end(&outer), nested[i].outer_fired);
	}
}

Test(timeout, they_may_end_in_any_order)
{
	struct gev_timeout a, b, c;
	gev_timeout_begin(&a, 0.001);
	gev_timeout_begin(&b, 100);
	gev_timeout_begin(&c, 0.002);
	gev_timeout_end(&b);
	gev_timeout_end(&a);
	cr_expect_eq(said(gev_sleep(5)), ETIMEDOUT);
	cr_expect(gev_timeout_end(&c));
	cr_expect_not(gev_timeout_fired(&a) || gev_timeout_fired(&b));
	cr_expect_eq(said(gev_sleep(0.001)), 0);
}

Test(timeout, misuse_leaves_one_that_may_be_ended)
{
	struct gev_timeout t;
	cr_expect_eq(gev_timeout_begin(&t, NAN), -1);
	cr_expect_eq(errno, EINVAL);
	cr_expect_not(gev_timeout_end(&t));
}

static void *with_timeout(void *arg)
{
	struct gev_timeout t;
	gev_timeout_begin(&t, *(double *)arg);
	gev_sleep(1000);
	return (void *)(intptr_t)gev_timeout_end(&t);
}

Test(timeout, each_greenlet_has_its_own)
{
	static double s[] = {0.003, 0.001, 0.002};
	struct gev_greenlet *g[3];
	void *fired;
	for (int i = 0; i < 3; i++)
		g[i] = gev_spawn(with_timeout, &s[i]);
	cr_expect_eq(said(gev_sleep(0.0001)), 0);
	cr_expect_eq(gev_joinall(g, 3, 0, 10), 3);
	for (int i = 0; i < 3; i++) {
		cr_expect_eq(gev_join(g[i], 0, &fired), 0);
		cr_expect_not_null(fired);
	}
}

static void *keep_time(void *arg)
{
	struct gev_timeout t;
	gev_timeout_begin(&t, 0.001);
	gev_shield_begin();
	int shielded = said(gev_sleep(0.003));
	struct gev_timeout inside;
	gev_timeout_begin(&inside, 0.001);
	int within = said(gev_sleep(5));
	bool fired = gev_timeout_end(&inside);
	gev_shield_end();
	int after = said(gev_sleep(5));
	return (void *)(intptr_t)(shielded == 0 && within == ETIMEDOUT && fired && after == ETIMEDOUT &&
				  gev_timeout_end(&t));
}

Test(timeout, a_shield_holds_off_those_that_were_begun_outside)
{
	struct gev_greenlet *g = gev_spawn(keep_time, NULL);
	void *right;
	cr_expect_eq(gev_join(g, 10, &right), 0);
	cr_expect_not_null(right);
}

static void *outlive_its_shield(void *arg)
{
	struct gev_timeout t;
	gev_shield_begin();
	gev_timeout_begin(&t, 0.001);
	gev_shield_end();
	gev_shield_begin();
	int shielded = said(gev_sleep(0.003));
	gev_shield_end();
	int after = said(gev_sleep(5));
	return (void *)(intptr_t)(shielded == 0 && after == ETIMEDOUT && gev_timeout_end(&t));
}

Test(timeout, a_shield_holds_off_one_of_an_earlier_shield_too)
{
	struct gev_greenlet *g = gev_spawn(outlive_its_shield, NULL);
	void *right;
	cr_expect_eq(gev_join(g, 10, &right), 0);
	cr_expect_not_null(right);
}

static void *park_plain(void *arg)
{
	struct gev_timeout t;
	gev_timeout_begin(&t, 0.001);
	int64_t from = gev__now();
	int r = gev__park(from + 5000000, GEV_PARK_PLAIN);
	bool ended_early = gev__now() < from + 5000000;
	return (void *)(intptr_t)(r == -ETIMEDOUT && !ended_early && !gev_timeout_end(&t));
}

Test(timeout, does_not_break_off_what_is_no_kill_point)
{
	struct gev_greenlet *g = gev_spawn(park_plain, NULL);
	void *right;
	cr_expect_eq(gev_join(g, 10, &right), 0);
	cr_expect_not_null(right);
}

static int ran;

static void *return_inside(void *arg)
{
	struct gev_timeout t;
	gev_timeout_begin(&t, 0);
	ran += said(gev_sleep(1)) == ETIMEDOUT;
	return NULL;
}

static void sleep_at_the_end(void *arg)
{
	ran += said(gev_sleep(0.001)) == 0;
}

static void *return_inside_with_defer(void *arg)
{
	gev_defer(sleep_at_the_end, NULL);
	return return_inside(arg);
}

Test(timeout, those_left_over_end_with_the_function)
{
	struct gev_greenlet *g = gev_spawn(return_inside_with_defer, NULL);
	cr_expect_eq(gev_join(g, 10, NULL), 0);
	cr_expect_eq(ran, 2);
}

static void *killed_in_time(void *arg)
{
	struct gev_timeout t;
	gev_timeout_begin(&t, 100);
	int r = said(gev_sleep(50));
	return (void *)(intptr_t)(r == ECANCELED && !gev_timeout_end(&t));
}

Test(timeout, a_kill_is_told_from_it)
{
	struct gev_greenlet *g = gev_spawn(killed_in_time, NULL);
	gev_yield();
	gev_kill(g);
	void *right;
	cr_expect_eq(gev_join(g, 10, &right), 0);
	cr_expect_not_null(right);
}

static void *loop_in_timeout(void *arg)
{
	struct gev_timeout t;
	gev_timeout_begin(&t, 0.001);
	double until = gev_now() + 30;
	while (!*(volatile int *)arg && gev_now() < until)
		gev_sleep(1);
	gev_timeout_end(&t);
	return NULL;
}

Test(timeout, a_loop_that_ignores_errors_lets_the_others_run)
{
	static volatile int done;
	struct gev_greenlet *g = gev_spawn(loop_in_timeout, (void *)&done);
	gev_yield();
	cr_expect_eq(gev_sleep(0.005), 0);
	done = 1;
	cr_expect_eq(gev_join(g, 10, NULL), 0);
}

static int place;

static void *wait_in_lot(void *arg)
{
	struct gev_timeout t;
	gev_timeout_begin(&t, 0.001);
	int r = gev__lot_wait(&place, NULL, NULL, NULL, GEV_NEVER, GEV_PARK_KILLABLE, NULL);
	return (void *)(intptr_t)(r == -ETIMEDOUT && gev_timeout_end(&t));
}

Test(timeout, waiters_in_the_lot_leave_it)
{
	struct gev_greenlet *g = gev_spawn(wait_in_lot, NULL);
	void *right;
	cr_expect_eq(gev_join(g, 10, &right), 0);
	cr_expect_not_null(right);
	cr_expect_eq(gev__lot_wake(&place, 1, 0), 0);
}
