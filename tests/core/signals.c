/* Interruptions, notes to the hub from elsewhere, and preemption. */
#include <criterion/criterion.h>
#include <gev/gev.h>

#include <errno.h>
#include <pthread.h>

#include "gev/embed.h"
#include "lib/core/hub.h"
#include "lib/core/kill.h"
#include "lib/core/lot.h"
#include "lib/core/park.h"
#include "lib/core/signals.h"

static int handled, attended, arrived, idled;

static void on_attend(void)
{
	attended++;
}

static void on_arrive(void)
{
	arrived++;
}

static void on_idle(void)
{
	idled++;
}

static void on_handle(void)
{
	handled++;
	gev__interrupt(gev__current, false);
}

static const struct gev_signal_hooks hooks = {
	.attend = on_attend, .arrive = on_arrive, .idle = on_idle, .handle = on_handle};

static struct gev__hub *begin(void)
{
	int error;
	struct gev__hub *h = gev__hub_get(&error);
	gev__signals_hook(&hooks);
	return h;
}

static void *park_interruptible(void *arg)
{
	int r = gev__park(GEV_NEVER, GEV_PARK_INTERRUPTIBLE);
	*(int *)arg = r;
	return NULL;
}

Test(signals, an_interruption_ends_a_park_that_allows_it)
{
	int r = 1;
	begin();
	struct gev_greenlet *g = gev_spawn(park_interruptible, &r);
	gev_yield();
	gev__interrupt(g, true);
	cr_expect_eq(gev_join(g, 60, NULL), 0);
	cr_expect_eq(r, -EINTR);
}

Test(signals, the_mark_stays_until_it_is_cleared)
{
	begin();
	gev__interrupt(gev__current, true);
	cr_expect_eq(gev__park(GEV_NEVER, 0), 0); /* the wake that came with it */
	cr_expect_eq(gev__park(GEV_NEVER, GEV_PARK_INTERRUPTIBLE), -EINTR);
	cr_expect_eq(gev__sleep_until(GEV_NEVER, GEV_PARK_INTERRUPTIBLE), -EINTR);
	gev__interrupt(gev__current, false);
	cr_expect_eq(gev__park(1, GEV_PARK_INTERRUPTIBLE), -ETIMEDOUT);
}

static int order[2], n;

static void *wait_in_lot(void *arg)
{
	gev__lot_wait(order, NULL, NULL, NULL, GEV_NEVER, 0, NULL);
	order[n++] = (int)(intptr_t)arg;
	return NULL;
}

Test(signals, an_interrupted_waiter_keeps_its_place_in_the_lot)
{
	begin();
	struct gev_greenlet *first = gev_spawn(wait_in_lot, (void *)1);
	struct gev_greenlet *second = gev_spawn(wait_in_lot, (void *)2);
	gev_yield();
	gev__interrupt(first, true);
	gev_yield();
	cr_expect_eq(handled, 1);
	cr_expect_eq(n, 0);
	cr_expect_eq(gev__lot_wake(order, 1, 0), 1);
	gev_yield();
	cr_expect_eq(order[0], 1);
	cr_expect_eq(gev__lot_wake(order, 1, 0), 1);
	cr_expect_eq(gev_join(first, 60, NULL), 0);
	cr_expect_eq(gev_join(second, 60, NULL), 0);
}

static void *note(void *arg)
{
	gev__attend();
	gev__wake(arg);
	return NULL;
}

Test(signals, a_note_from_another_thread_reaches_a_hub_that_sleeps)
{
	pthread_t t;
	begin();
	cr_expect_not(gev__busy());
	cr_assert_eq(pthread_create(&t, NULL, note, gev__current), 0);
	while (attended == 0)
		gev__park(GEV_NEVER, 0);
	cr_expect_eq(pthread_join(t, NULL), 0);
}

static void *count(void *arg)
{
	for (int i = 0; i < 3; i++) {
		++*(int *)arg;
		gev_yield();
	}
	return NULL;
}

Test(signals, preempt_lets_the_ready_run_once)
{
	int turns = 0;
	begin();
	struct gev_greenlet *g = gev_spawn(count, &turns);
	for (int i = 1; i <= 3; i++) {
		gev__preempt();
		cr_expect_eq(turns, i);
	}
	gev__preempt();
	gev__preempt(); /* with nobody else it comes back at once */
	cr_expect(gev_is_done(g));
	gev_release(g);
}

static void *sleep_a_little(void *arg)
{
	gev_sleep(0.001);
	*(volatile int *)arg = 1;
	return NULL;
}

Test(signals, preempt_looks_at_the_clock)
{
	static volatile int done;
	begin();
	struct gev_greenlet *g = gev_spawn(sleep_a_little, (void *)&done);
	gev_yield();
	while (!done)
		gev__preempt();
	cr_expect_eq(gev_join(g, 60, NULL), 0);
}

Test(signals, hooks_are_called_only_while_they_are_wanted)
{
	begin();
	int turns = 0;
	struct gev_greenlet *g = gev_spawn(count, &turns);
	gev_yield();
	cr_expect_eq(arrived + idled, 0);
	gev__signals_arrivals(true);
	gev_yield();
	cr_expect_geq(arrived, 2);
	gev__signals_arrivals(false);
	int before = arrived;
	cr_expect_eq(gev_join(g, 60, NULL), 0);
	cr_expect_eq(arrived, before);
}

Test(signals, nobody_to_switch_to_in_a_pinned_stretch)
{
	int turns = 0;
	begin();
	const struct gev_embed *table = gev_embed_v1();
	struct gev_greenlet *g = gev_spawn(count, &turns);
	cr_expect_eq(table->self_if_others(), gev__current);
	gev__pin(1);
	cr_expect_null(table->self_if_others());
	cr_expect_eq(table->self(), gev__current);
	gev__pin(-1);
	cr_expect_eq(table->self_if_others(), gev__current);
	cr_expect_eq(gev_join(g, 60, NULL), 0);
}
