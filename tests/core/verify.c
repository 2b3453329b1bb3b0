/* With -Dchecks=true a hub whose structures do not hold ends the process at its next turn. */
#include <criterion/criterion.h>
#include <gev/gev.h>

#include <signal.h>

#include "lib/core/hub.h"

static void *sleep_long(void *arg)
{
	gev_sleep(100);
	return arg;
}

static struct gev__hub *hub_with_sleepers(void)
{
	for (int i = 0; i < 9; i++)
		cr_assert_eq(gev_spawn_detached(NULL, sleep_long, NULL), 0);
	cr_assert_eq(gev_sleep(0.001), 0);
	return gev__hub_here();
}

Test(verify, what_is_whole_goes_on)
{
	hub_with_sleepers();
	cr_expect_eq(gev_sleep(0.001), 0);
}

Test(verify, a_wrong_count_of_the_living, .signal = SIGABRT)
{
	hub_with_sleepers()->live++;
	gev_sleep(0.001);
}

Test(verify, a_heap_out_of_order, .signal = SIGABRT)
{
	struct gev__hub *h = hub_with_sleepers();
	h->timers.at[h->timers.n].deadline = 1;
	gev_sleep(0.001);
}

Test(verify, one_that_is_ready_and_on_no_ring, .signal = SIGABRT)
{
	hub_with_sleepers()->all->state = GEV__READY;
	gev_sleep(0.001);
}
