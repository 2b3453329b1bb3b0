/* The parking lot: FIFO, tokens, requeue, time-outs, and OS threads among greenlets. */
#include <criterion/criterion.h>
#include <gev/gev.h>

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdint.h>

#include "gev/embed.h"
#include "lib/base/clock.h"
#include "lib/core/lot.h"

static int there, elsewhere; /* only their addresses matter */
static uintptr_t order[16];
static int n;

static void *wait_there(void *arg)
{
	uintptr_t token = 0;
	int r = gev__lot_wait(&there, NULL, NULL, NULL, GEV_NEVER, 0, &token);
	cr_expect_eq(r, 0);
	order[n++] = (uintptr_t)arg * 100 + token;
	return NULL;
}

static struct gev_greenlet *g[4];

static void spawn_four(void)
{
	for (intptr_t i = 0; i < 4; i++)
		g[i] = gev_spawn(wait_there, (void *)(i + 1));
	gev_yield();
}

Test(lot, wakes_the_longest_waiters_with_the_token)
{
	spawn_four();
	cr_expect_eq(gev__lot_wake(&elsewhere, INT_MAX, 9), 0);
	cr_expect_eq(gev__lot_wake(&there, 2, 5), 2);
	cr_expect_eq(gev__lot_wake(&there, INT_MAX, 6), 2);
	cr_expect_eq(gev__lot_wake(&there, INT_MAX, 7), 0);
	for (int i = 0; i < 4; i++)
		gev_join(g[i], GEV_FOREVER, NULL);
	cr_expect_eq(order[0], 105);
	cr_expect_eq(order[1], 205);
	cr_expect_eq(order[2], 306);
	cr_expect_eq(order[3], 406);
}

Test(lot, a_requeued_waiter_is_woken_under_its_new_address)
{
	spawn_four();
	cr_expect_eq(gev__lot_requeue(&there, &elsewhere, 1, 2, NULL, NULL, 1), 3);
	cr_expect_eq(gev__lot_wake(&there, INT_MAX, 2), 1);
	cr_expect_eq(gev__lot_wake(&elsewhere, INT_MAX, 3), 2);
	for (int i = 0; i < 4; i++)
		gev_join(g[i], GEV_FOREVER, NULL);
	cr_expect_eq(order[0], 101);
	cr_expect_eq(order[1], 402);
	cr_expect_eq(order[2], 203);
	cr_expect_eq(order[3], 303);
}

static bool no(void *arg)
{
	return false;
}

Test(lot, does_not_wait_when_the_condition_says_no)
{
	gev_sleep(0);
	cr_expect_eq(gev__lot_wait(&there, no, NULL, NULL, GEV_NEVER, 0, NULL), -EAGAIN);
	cr_expect_eq(gev__lot_wake(&there, 1, 0), 0);
}

Test(lot, a_wait_that_timed_out_is_not_on_the_queue)
{
	gev_sleep(0);
	cr_expect_eq(gev__lot_wait(&there, NULL, NULL, NULL, gev__now() + 1000000, 0, NULL), -ETIMEDOUT);
	cr_expect_eq(gev__lot_wait(&there, NULL, NULL, NULL, 0, 0, NULL), -ETIMEDOUT);
	cr_expect_eq(gev__lot_wake(&there, 1, 0), 0);
}

static void wake_it(void *arg)
{
	cr_expect_eq(gev__lot_wake(&there, 1, 8), 1);
}

Test(lot, a_wake_between_queueing_and_sleeping_is_not_lost)
{
	uintptr_t token = 0;
	cr_expect_eq(gev__lot_wait(&there, NULL, wake_it, NULL, GEV_NEVER, 0, &token), 0, "as an OS thread");
	cr_expect_eq(token, 8);
	gev_sleep(0);
	token = 0;
	cr_expect_eq(gev__lot_wait(&there, NULL, wake_it, NULL, GEV_NEVER, 0, &token), 0, "as a greenlet");
	cr_expect_eq(token, 8);
}

struct decision {
	bool woken, more;
};

static uintptr_t decide(void *arg, bool woken, bool more)
{
	*(struct decision *)arg = (struct decision){woken, more};
	return 4;
}

Test(lot, wake_one_tells_the_queue_as_it_is)
{
	struct decision d = {true, true};
	cr_expect_eq(gev__lot_wake_one(&there, decide, &d), 0);
	cr_expect(!d.woken && !d.more);
	spawn_four();
	for (int i = 0; i < 4; i++) {
		cr_expect_eq(gev__lot_wake_one(&there, decide, &d), 1);
		cr_expect(d.woken && d.more == (i < 3));
	}
	for (int i = 0; i < 4; i++)
		gev_join(g[i], GEV_FOREVER, NULL);
	cr_expect_eq(order[0], 104);
}

/* A baton between an OS thread and a greenlet: each waits for its turn under the lot, in many rounds. */
enum { ROUNDS = 20000 };
static int turn;
static int mine[2] = {0, 1};

static bool not_my_turn(void *arg)
{
	return __atomic_load_n(&turn, __ATOMIC_SEQ_CST) != *(int *)arg;
}

static void *play(void *arg)
{
	int me = *(int *)arg;
	for (int i = 0; i < ROUNDS; i++) {
		while (not_my_turn(arg))
			gev__lot_wait(&turn, not_my_turn, NULL, arg, GEV_NEVER, 0, NULL);
		__atomic_store_n(&turn, 1 - me, __ATOMIC_SEQ_CST);
		gev__lot_wake(&turn, INT_MAX, 0);
	}
	return NULL;
}

Test(lot, greenlets_and_threads_hand_a_baton_without_losing_it)
{
	pthread_t t;
	cr_assert_eq(pthread_create(&t, NULL, play, &mine[1]), 0);
	struct gev_greenlet *p = gev_spawn(play, &mine[0]);
	cr_expect_eq(gev_join(p, 60, NULL), 0);
	cr_expect_eq(pthread_join(t, NULL), 0);
}
