/* The ways to make a greenlet: with arguments copied, detached, later, suspended; and each errno of them. */
#include <criterion/criterion.h>
#include <gev/gev.h>

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/sys.h"

static int ran;

static void *count(void *arg)
{
	ran++;
	return arg;
}

struct words {
	char text[100];
	int number;
};

static void *read_words(void *arg)
{
	struct words *w = arg;
	gev_yield();
	return strcmp(w->text, "copied") == 0 && w->number == 7 && (uintptr_t)w % _Alignof(max_align_t) == 0 ? w : NULL;
}

Test(spawn, copied_arguments_outlive_the_original)
{
	struct words w = {.text = "copied", .number = 7};
	for (int identity = GEV_IDENTITY_SHARED; identity <= GEV_IDENTITY_OWN; identity++) {
		struct gev_spawn_attr attr = {.identity = identity};
		struct gev_greenlet *g = gev_spawn_copy(&attr, read_words, &w, sizeof w);
		cr_assert_not_null(g);
		struct words spoilt = w;
		memset(&w, 0xff, sizeof w);
		void *value;
		cr_expect_eq(gev_join(g, 10, &value), 0);
		cr_expect(value != NULL && value != &w, "it saw its own copy");
		gev_release(g);
		w = spoilt;
	}
}

Test(spawn, a_copy_may_take_half_of_the_stack)
{
	static char data[128 * 1024 + 16];
	struct gev_greenlet *g = gev_spawn_copy(NULL, count, data, 128 * 1024);
	cr_assert_not_null(g);
	cr_expect_eq(gev_join(g, 10, NULL), 0);
	gev_release(g);
	cr_expect_null(gev_spawn_copy(NULL, count, data, sizeof data));
	cr_expect_eq(errno, EINVAL);
	cr_expect_eq(ran, 1);
}

Test(spawn, detached_ones_need_no_hand)
{
	for (int i = 0; i < 1000; i++)
		cr_assert_eq(gev_spawn_detached(NULL, count, NULL), 0);
	gev_yield();
	cr_expect_eq(ran, 1000);
	struct gev_spawn_attr attr = {.suspended = true};
	cr_expect_eq(gev_spawn_detached(&attr, count, NULL), -1);
	cr_expect_eq(errno, EINVAL);
	cr_expect_eq(gev_spawn_detached(NULL, NULL, NULL), -1);
	cr_expect_eq(errno, EINVAL);
}

Test(spawn, no_attributes_are_the_defaults)
{
	struct gev_greenlet *g = gev_spawn_with(NULL, count, &ran);
	cr_assert_not_null(g);
	cr_expect_str_eq(gev_name(g), "");
	void *value;
	cr_expect_eq(gev_join(g, 10, &value), 0);
	cr_expect_eq(value, &ran);
	gev_release(g);
}

Test(spawn, suspended_ones_wait_for_their_start)
{
	struct gev_spawn_attr attr = {.suspended = true};
	struct gev_greenlet *g = gev_spawn_with(&attr, count, NULL);
	gev_yield();
	cr_expect_eq(ran, 0);
	cr_expect_eq(gev_start(g), 0);
	cr_expect_eq(gev_start(g), 0, "the second time it does nothing");
	cr_expect_eq(gev_join(g, 10, NULL), 0);
	cr_expect_eq(ran, 1);
	cr_expect_eq(gev_start(g), 0, "nor after the end");
	gev_yield();
	cr_expect_eq(ran, 1);
	gev_release(g);
}

Test(spawn, the_last_handle_of_one_that_never_started_ends_it)
{
	const struct gev_spawn_attr attr = {.suspended = true};
	for (int i = 0; i < 100000; i++) { /* were they kept, their stacks would not fit */
		struct gev_greenlet *g = gev_spawn_with(&attr, count, NULL);
		cr_assert_not_null(g);
		gev_release(g);
		gev_yield();
	}
	cr_expect_eq(ran, 0);
}

Test(spawn, later_means_not_before)
{
	double from = gev_now();
	struct gev_greenlet *g = gev_spawn_later(NULL, 0.02, count, NULL);
	gev_yield();
	cr_expect_eq(ran, 0);
	cr_expect_eq(gev_join(g, 10, NULL), 0);
	cr_expect_geq(gev_now() - from, 0.02);
	cr_expect_eq(ran, 1);
	gev_release(g);
}

static void *take_number(void *arg)
{
	*(int *)arg = ++ran;
	return NULL;
}

Test(spawn, later_ones_start_in_the_order_of_their_times)
{
	enum { N = 6 };
	static const double when[N] = {0.006, 0.001, 0.004, 0.002, 0.005, 0.003};
	struct gev_greenlet *g[N];
	double earliest[N], latest[N]; /* when each may start */
	int number[N];
	for (int i = 0; i < N; i++) {
		earliest[i] = gev_now() + when[i];
		g[i] = gev_spawn_later(NULL, when[i], take_number, &number[i]);
		latest[i] = gev_now() + when[i];
	}
	cr_expect_eq(gev_joinall(g, N, 0, 10), N);
	for (int i = 0; i < N; i++)
		for (int k = 0; k < N; k++)
			if (latest[i] < earliest[k])
				cr_expect_lt(number[i], number[k], "%g before %g", when[i], when[k]);
}

Test(spawn, later_with_no_time_is_now_and_with_all_time_is_at_its_start)
{
	struct gev_greenlet *now = gev_spawn_later(NULL, -1, count, NULL);
	struct gev_greenlet *never = gev_spawn_later(NULL, GEV_FOREVER, count, NULL);
	gev_yield();
	cr_expect_eq(ran, 1);
	cr_expect(gev_is_done(now) && !gev_is_done(never));
	cr_expect_eq(gev_start(never), 0);
	cr_expect_eq(gev_join(never, 10, NULL), 0);
	gev_release(now);
	gev_release(never);
}

Test(spawn, later_that_nobody_holds_still_comes)
{
	gev_release(gev_spawn_later(NULL, 0.001, count, NULL));
	double until = gev_now() + 10;
	while (ran == 0 && gev_now() < until)
		gev_sleep(0.001);
	cr_expect_eq(ran, 1);
}

Test(spawn, later_misuse)
{
	struct gev_spawn_attr attr = {.suspended = true};
	cr_expect_null(gev_spawn_later(NULL, NAN, count, NULL));
	cr_expect_eq(errno, EINVAL);
	cr_expect_null(gev_spawn_later(&attr, 1, count, NULL));
	cr_expect_eq(errno, EINVAL);
	cr_expect_null(gev_spawn_later(NULL, 1, NULL, NULL));
	cr_expect_eq(errno, EINVAL);
}

Test(spawn, an_absurd_stack_is_no_memory)
{
	struct gev_spawn_attr attr = {.stack_size = SIZE_MAX / 2};
	cr_expect_null(gev_spawn_with(&attr, count, NULL));
	cr_expect_eq(errno, EAGAIN);
}
