/* Kill, killall, shields. */
#include <criterion/criterion.h>
#include <gev/gev.h>

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include "gev/embed.h"
#include "lib/core/park.h"

static int ran;

static void *count(void *arg)
{
	ran++;
	return arg;
}

/* What a blocking call says: its errno, 0 for success. */
static int said(int r)
{
	return r < 0 ? errno : 0;
}

static struct gev_greenlet *other;

static int by_sleep(void)
{
	return said(gev_sleep(100));
}

static int by_sleep_0(void)
{
	return said(gev_sleep(0));
}

static int by_sleep_forever(void)
{
	return said(gev_sleep(GEV_FOREVER));
}

static int by_join(void)
{
	return said(gev_join(other, 100, NULL));
}

static int by_join_of_one_that_has_ended(void)
{
	struct gev_greenlet *g = gev_spawn(count, NULL);
	gev_yield();
	int r = said(gev_join(g, 100, NULL));
	gev_release(g);
	return r;
}

static int by_joinall(void)
{
	return said((int)gev_joinall(&other, 1, 0, 100));
}

static int by_recv(void)
{
	int fds[2];
	char c;
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	int r = said((int)gev_recv(fds[0], &c, 1, 0, 100));
	gev_close(fds[0]);
	gev_close(fds[1]);
	return r;
}

static int (*const waits[])(void) = {by_sleep,   by_sleep_0, by_sleep_forever, by_join, by_join_of_one_that_has_ended,
				     by_joinall, by_recv};
enum { WAITS = sizeof waits / sizeof *waits };

static void *wait_twice(void *arg)
{
	int first = (*(int (*const *)(void))arg)();
	int second = gev_is_killed() ? (*(int (*const *)(void))arg)() : 0;
	return (void *)(intptr_t)(first == ECANCELED && second == ECANCELED);
}

Test(kill, ends_every_blocking_call_now_and_later)
{
	double s = 1000;
	other = gev_spawn_later(NULL, s, count, NULL);
	for (int i = 0; i < WAITS; i++) {
		struct gev_greenlet *g = gev_spawn(wait_twice, (void *)&waits[i]);
		gev_yield(); /* into its wait */
		gev_kill(g);
		void *right = NULL;
		cr_expect_eq(gev_join(g, 10, &right), 0);
		if (waits[i] != by_sleep_0 && waits[i] != by_join_of_one_that_has_ended)
			cr_expect_not_null(right, "wait %d", i);
		gev_release(g);
	}
}

static void *kill_oneself_and_wait(void *arg)
{
	gev_kill(gev_self());
	return wait_twice(arg);
}

Test(kill, oneself_is_told_at_the_next_blocking_call)
{
	other = gev_spawn_later(NULL, 1000, count, NULL);
	for (int i = 0; i < WAITS; i++) {
		struct gev_greenlet *g = gev_spawn(kill_oneself_and_wait, (void *)&waits[i]);
		void *right = NULL;
		cr_expect_eq(gev_join(g, 10, &right), 0);
		cr_expect_not_null(right, "wait %d", i);
		gev_release(g);
	}
}

Test(kill, one_that_has_not_begun_never_does)
{
	const struct gev_spawn_attr suspended = {.suspended = true};
	struct gev_greenlet *g[] = {
		gev_spawn(count, NULL),
		gev_spawn_with(&suspended, count, NULL),
		gev_spawn_later(NULL, 1000, count, NULL),
		gev_spawn_later(NULL, GEV_FOREVER, count, NULL),
	};
	for (int i = 0; i < 4; i++) {
		gev_kill(g[i]);
		gev_kill(g[i]);
	}
	for (int i = 0; i < 4; i++) {
		void *value = &ran;
		cr_expect_eq(gev_join(g[i], 10, &value), 0, "%d", i);
		cr_expect_null(value);
		cr_expect_eq(gev_error(g[i]), ECANCELED);
		gev_release(g[i]);
	}
	cr_expect_eq(ran, 0);
}

Test(kill, one_that_has_ended_stays_as_it_is)
{
	struct gev_greenlet *g = gev_spawn(count, &ran);
	void *value;
	cr_expect_eq(gev_join(g, 10, NULL), 0);
	gev_kill(g);
	cr_expect_eq(gev_join(g, 10, &value), 0);
	cr_expect_eq(value, &ran);
	cr_expect_eq(gev_error(g), 0);
	gev_release(g);
}

static void *ignore_errors(void *arg)
{
	while (ran < 10)
		if (gev_sleep(1) == 0)
			return "slept";
	return NULL;
}

static void *count_ten(void *arg)
{
	while (ran < 10) {
		ran++;
		gev_yield();
	}
	return NULL;
}

Test(kill, a_loop_that_ignores_errors_lets_the_others_run)
{
	struct gev_greenlet *g[2] = {gev_spawn(ignore_errors, NULL), gev_spawn(count_ten, NULL)};
	gev_yield();
	gev_kill(g[0]);
	cr_expect_eq(gev_joinall(g, 2, 0, 30), 2);
	void *wrong;
	cr_expect_eq(gev_join(g[0], 0, &wrong), 0);
	cr_expect_null(wrong);
}

static void *ignore_until(void *arg)
{
	double until = gev_now() + 30;
	while (!*(volatile int *)arg && gev_now() < until)
		gev_sleep(1);
	return NULL;
}

static void *read_byte(void *arg)
{
	int *state = arg;
	char c;
	state[0] = gev_recv(state[1], &c, 1, 0, 30) == 1;
	return NULL;
}

Test(kill, nor_does_it_starve_descriptors_and_timers)
{
	static int state[2], fds[2];
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	state[1] = fds[0];
	struct gev_greenlet *reader = gev_spawn(read_byte, state);
	struct gev_greenlet *loop = gev_spawn(ignore_until, state);
	gev_yield();
	gev_kill(loop);
	cr_expect_eq(gev_sleep(0.002), 0);
	cr_assert_eq(send(fds[1], "x", 1, 0), 1);
	cr_expect_eq(gev_join(loop, 40, NULL), 0);
	cr_expect_eq(gev_join(reader, 10, NULL), 0);
	cr_expect_eq(state[0], 1);
}

static void *park_plain(void *arg)
{
	while (!*(int *)arg)
		gev__park(GEV_NEVER, GEV_PARK_PLAIN);
	return (void *)(intptr_t)(gev_sleep(1) == -1 ? errno : 0);
}

Test(kill, does_not_break_off_what_is_no_kill_point)
{
	static int done;
	struct gev_greenlet *g = gev_spawn(park_plain, &done);
	gev_yield();
	gev_kill(g);
	cr_expect_eq(gev_join(g, 0.005, NULL), -1);
	done = 1;
	gev__wake(g);
	void *error;
	cr_expect_eq(gev_join(g, 10, &error), 0);
	cr_expect_eq((intptr_t)error, ECANCELED);
}

/* ---- Many ---- */

static void *kill_next(void *arg)
{
	while (gev_sleep(100) == 0)
		;
	gev_yield();
	ran++;
	return NULL;
}

Test(kill, killall_reaches_all_before_any_runs)
{
	enum { N = 50 };
	struct gev_greenlet *g[N];
	for (int i = 0; i < N; i++)
		g[i] = gev_spawn(kill_next, NULL);
	cr_expect_eq(gev_killall(g, N / 2, 10), 0);
	cr_expect_eq(ran, 0, "none of the unstarted began");
	gev_yield();
	cr_expect_eq(gev_killall(g, N, 10), 0);
	cr_expect_eq(ran, N / 2);
	for (int i = 0; i < N; i++)
		gev_release(g[i]);
}

static void *diehard(void *arg)
{
	while (!*(int *)arg)
		gev__park(GEV_NEVER, GEV_PARK_PLAIN);
	return NULL;
}

Test(kill, killall_says_when_some_will_not_die)
{
	static int done;
	struct gev_greenlet *g[2] = {gev_spawn(diehard, &done), gev_spawn(kill_next, NULL)};
	gev_yield();
	cr_expect_eq(gev_killall(g, 2, 0), -1);
	cr_expect_eq(errno, ETIMEDOUT);
	cr_expect_eq(gev_killall(g, 2, 0.005), -1);
	cr_expect_eq(errno, ETIMEDOUT);
	cr_expect_eq(gev_join(g[1], 10, NULL), 0); /* where all is slow, 5 ms are over before its turn */
	cr_expect(!gev_is_done(g[0]));
	cr_expect_eq(gev_killall(g, 2, NAN), -1);
	cr_expect_eq(errno, EINVAL);
	done = 1;
	gev__wake(g[0]);
	cr_expect_eq(gev_killall(g, 2, 10), 0);
}

/* ---- From elsewhere ---- */

static void *kill_from_afar(void *arg)
{
	gev_kill(arg);
	gev_release(arg);
	return NULL;
}

Test(kill, from_another_thread)
{
	const struct gev_spawn_attr suspended = {.suspended = true};
	struct gev_greenlet *g[] = {
		gev_spawn(kill_next, NULL),
		gev_spawn_with(&suspended, count, NULL),
		gev_spawn_later(NULL, 1000, count, NULL),
	};
	gev_yield();
	pthread_t t[3];
	for (int i = 0; i < 3; i++)
		cr_assert_eq(pthread_create(&t[i], NULL, kill_from_afar, gev_ref(g[i])), 0);
	for (int i = 0; i < 3; i++) {
		cr_expect_eq(gev_join(g[i], 10, NULL), 0);
		gev_release(g[i]);
		pthread_join(t[i], NULL);
	}
	cr_expect_eq(ran, 1, "only the one that had begun");
}

Test(kill, the_original_flow_is_told_like_any_other)
{
	cr_expect_eq(gev_sleep(0), 0);
	cr_expect_not(gev_is_killed());
	gev_kill(gev_self());
	cr_expect(gev_is_killed());
	for (int i = 0; i < WAITS; i++) {
		other = gev_spawn(kill_next, NULL);
		cr_expect_eq(waits[i](), ECANCELED, "wait %d", i);
		gev_release(other);
	}
}

/* ---- Shields ---- */

static void *shielded(void *arg)
{
	gev_shield_begin();
	gev_shield_begin();
	int inside = said(gev_sleep(0.002));
	gev_shield_end();
	inside |= said(gev_sleep(0.001));
	bool killed = gev_is_killed();
	gev_shield_end();
	int outside = said(gev_sleep(100));
	gev_shield_begin();
	int again = said(gev_sleep(0.001));
	gev_shield_end();
	return (void *)(intptr_t)(inside == 0 && killed && outside == ECANCELED && again == 0 &&
				  said(gev_sleep(0)) == ECANCELED);
}

Test(kill, a_shield_holds_it_off_and_keeps_it)
{
	struct gev_greenlet *g = gev_spawn(shielded, NULL);
	gev_yield();
	gev_kill(g);
	void *right = NULL;
	cr_expect_eq(gev_join(g, 10, &right), 0);
	cr_expect_not_null(right);
}
