/* Spawning, order, joining, identities, ends. */
#include <criterion/criterion.h>
#include <gev/embed.h>
#include <gev/gev.h>

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/core/park.h"

static char trace[64];
static size_t n;

static void *three(void *arg)
{
	for (int i = 0; i < 3; i++) {
		trace[n++] = *(const char *)arg;
		gev_yield();
	}
	return arg;
}

Test(greenlet, they_run_in_turn_first_come_first_served)
{
	struct gev_greenlet *a = gev_spawn(three, "a"), *b = gev_spawn(three, "b"), *c = gev_spawn(three, "c");
	cr_expect_eq(n, 0, "spawn does not switch");
	void *value;
	cr_expect_eq(gev_join(a, GEV_FOREVER, &value), 0);
	cr_expect_str_eq(value, "a");
	cr_expect_eq(gev_join(b, GEV_FOREVER, NULL), 0);
	cr_expect_eq(gev_join(c, GEV_FOREVER, NULL), 0);
	cr_expect_str_eq(trace, "abcabcabc");
}

static void *sleeper(void *arg)
{
	gev_sleep(*(double *)arg);
	return arg;
}

Test(greenlet, join_times_out_and_can_be_repeated)
{
	double s = 0.02;
	struct gev_greenlet *g = gev_spawn(sleeper, &s);
	cr_expect_eq(gev_join(g, 0, NULL), -1);
	cr_expect_eq(errno, ETIMEDOUT);
	cr_expect_eq(gev_join(g, 0.001, NULL), -1);
	cr_expect_eq(errno, ETIMEDOUT);
	cr_expect_not(gev_is_done(g));
	cr_expect_eq(gev_join(g, NAN, NULL), -1);
	cr_expect_eq(errno, EINVAL);
	cr_expect_eq(gev_join(g, 10, NULL), 0);
}

static void *join_self(void *arg)
{
	*(int *)arg = gev_join(gev_self(), 1, NULL) == -1 ? errno : 0;
	return NULL;
}

Test(greenlet, joining_oneself_is_a_deadlock)
{
	int error = 0;
	gev_join(gev_spawn(join_self, &error), GEV_FOREVER, NULL);
	cr_expect_eq(error, EDEADLK);
}

Test(greenlet, misuse)
{
	cr_expect_null(gev_spawn(NULL, NULL));
	cr_expect_eq(errno, EINVAL);
	struct gev_spawn_attr attr = {.identity = 99};
	cr_expect_null(gev_spawn_with(&attr, three, NULL));
	cr_expect_eq(errno, EINVAL);
	cr_expect_eq(gev_sleep(NAN), -1);
	cr_expect_eq(errno, EINVAL);
}

static int released;

static void *count(void *arg)
{
	released++;
	return NULL;
}

Test(greenlet, released_ones_run_and_clean_up)
{
	for (int i = 0; i < 100000; i++) {
		struct gev_greenlet *g = gev_spawn(count, NULL);
		cr_assert_not_null(g);
		gev_release(g);
		if (i % 100 == 0)
			gev_yield();
	}
	gev_yield();
	cr_expect_eq(released, 100000);
}

static __thread int local = 1;

static void *own_local(void *arg)
{
	errno = (int)(intptr_t)arg;
	local += (int)(intptr_t)arg;
	gev_yield();
	cr_expect_eq(local, 1 + (intptr_t)arg);
	cr_expect_eq(errno, (intptr_t)arg);
	return NULL;
}

Test(greenlet, with_an_identity_of_its_own_it_has_its_own_variables)
{
	struct gev_spawn_attr attr = {.name = "a name that is too long", .identity = GEV_IDENTITY_OWN};
	struct gev_greenlet *g[50];
	for (intptr_t i = 0; i < 50; i++)
		cr_assert_not_null(g[i] = gev_spawn_with(&attr, own_local, (void *)i));
	cr_expect_str_eq(gev_name(g[0]), "a name that is ");
	for (int i = 0; i < 50; i++)
		cr_expect_eq(gev_join(g[i], GEV_FOREVER, NULL), 0);
	cr_expect_eq(local, 1);
}

static void *own_errno(void *arg)
{
	errno = (int)(intptr_t)arg;
	gev_yield();
	cr_expect_eq(errno, (intptr_t)arg);
	return NULL;
}

Test(greenlet, without_one_errno_is_still_its_own)
{
	struct gev_greenlet *a = gev_spawn(own_errno, (void *)3), *b = gev_spawn(own_errno, (void *)4);
	errno = 5;
	gev_yield();
	cr_expect_eq(errno, 5);
	gev_join(a, GEV_FOREVER, NULL);
	gev_join(b, GEV_FOREVER, NULL);
}

static int64_t first_wakes;
static char woken[4];

/* One base for all, far enough away that all are asleep by then: a busy machine may put off each of them for long. */
static void *until(void *arg)
{
	const char *later = arg;
	cr_expect_eq(gev__sleep_until(first_wakes + (*later - '0') * INT64_C(1000000), GEV_PARK_KILLABLE), 0);
	strncat(woken, later, 1);
	return NULL;
}

Test(greenlet, sleepers_wake_in_the_order_of_their_times)
{
	struct gev_greenlet *g[3];
	first_wakes = gev__now() + 200 * INT64_C(1000000);
	for (int i = 0; i < 3; i++)
		g[i] = gev_spawn(until, &"312"[i]);
	cr_expect_eq(gev_joinall(g, 3, 0, GEV_FOREVER), 3);
	cr_expect_str_eq(woken, "123");
}

Test(greenlet, ten_thousand_at_once)
{
	enum { N = 10000 };
	static struct gev_greenlet *g[N];
	static double s = 0.001;
	for (int i = 0; i < N; i++)
		cr_assert_not_null(g[i] = gev_spawn(sleeper, &s));
	for (int i = 0; i < N; i++)
		cr_assert_eq(gev_join(g[i], 10, NULL), 0);
}

static void *count_apart(void *arg)
{
	return (void *)(intptr_t)++local;
}

static void *make_many(void *arg)
{
	enum { ROUNDS = 300, N = 32 };
	struct gev_spawn_attr own = {.identity = GEV_IDENTITY_OWN};
	struct gev_greenlet *g[N];
	pthread_barrier_wait(arg);
	for (int round = 0; round < ROUNDS; round++) {
		for (int i = 0; i < N; i++)
			if ((g[i] = gev_spawn_with(&own, count_apart, NULL)) == NULL)
				return "no greenlet";
		for (int i = 0; i < N; i++)
			if (gev_join(g[i], 10, NULL))
				return "no end";
		for (int i = 0; i < N; i++)
			gev_release(g[i]);
	}
	return NULL;
}

Test(greenlet, several_threads_at_once_make_them_with_identities_of_their_own)
{
	enum { N = 4 };
	pthread_t t[N];
	void *failed = NULL;
	pthread_barrier_t together;
	pthread_barrier_init(&together, NULL, N);
	for (int i = 0; i < N; i++)
		cr_assert_eq(pthread_create(&t[i], NULL, make_many, &together), 0);
	for (int i = 0; i < N; i++) {
		cr_assert_eq(pthread_join(t[i], &failed), 0);
		cr_expect_null(failed, "%s", (char *)failed);
	}
}
