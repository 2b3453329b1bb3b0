/* Wakes from other OS threads, to a hub that runs, sleeps on its futex, or sleeps in libev. */
#include <criterion/criterion.h>
#include <gev/gev.h>

#include <pthread.h>
#include <unistd.h>

#include "gev/embed.h"
#include "lib/core/lot.h"
#include "lib/core/park.h"

enum { N = 5000 };
static int seen, sent;
static struct gev_greenlet *target;

static void *wake_many(void *arg)
{
	for (int i = 0; i < N; i++) {
		__atomic_add_fetch(&sent, 1, __ATOMIC_SEQ_CST);
		gev__wake(target);
		while (__atomic_load_n(&seen, __ATOMIC_SEQ_CST) <= i)
			sched_yield();
	}
	return NULL;
}

static void *be_woken(void *arg)
{
	for (int i = 0; i < N; i++) {
		while (__atomic_load_n(&sent, __ATOMIC_SEQ_CST) <= i)
			gev__park(GEV_NEVER, 0);
		__atomic_add_fetch(&seen, 1, __ATOMIC_SEQ_CST);
	}
	return NULL;
}

static void run(void)
{
	pthread_t t;
	target = gev_spawn(be_woken, NULL);
	gev_yield();
	cr_assert_eq(pthread_create(&t, NULL, wake_many, NULL), 0);
	cr_expect_eq(gev_join(target, 60, NULL), 0);
	cr_expect_eq(pthread_join(t, NULL), 0);
	cr_expect_eq(seen, N);
}

Test(wake, a_hub_that_sleeps_on_its_futex)
{
	run();
}

Test(wake, a_hub_that_sleeps_in_libev)
{
	int fds[2];
	char c = 'x';
	cr_assert_eq(pipe(fds), 0);
	cr_expect_eq(gev_read(fds[0], &c, 1, 0.001), -1); /* makes the loop */
	run();
}

static void *spin(void *arg)
{
	while (!__atomic_load_n((int *)arg, __ATOMIC_SEQ_CST))
		gev_yield();
	return NULL;
}

static void *wake_later(void *arg)
{
	gev__wake(target);
	return NULL;
}

static void *parked;

static void *park_once(void *arg)
{
	gev__park(GEV_NEVER, 0);
	parked = arg;
	*(int *)arg = 1;
	return NULL;
}

Test(wake, a_hub_that_is_busy_looks_into_its_inbox)
{
	static int stop;
	struct gev_greenlet *busy = gev_spawn(spin, &stop);
	target = gev_spawn(park_once, &stop);
	gev_yield();
	pthread_t t;
	cr_assert_eq(pthread_create(&t, NULL, wake_later, NULL), 0);
	cr_expect_eq(gev_join(busy, 30, NULL), 0);
	cr_expect_eq(parked, &stop);
	pthread_join(t, NULL);
}

static void *read_byte(void *arg)
{
	char c;
	*(int *)arg = gev_read(((int *)arg)[1], &c, 1, 30) == 1;
	return NULL;
}

Test(wake, greenlets_that_only_yield_do_not_starve_descriptors_and_timers)
{
	static int state[2], fds[2];
	cr_assert_eq(pipe(fds), 0);
	state[1] = fds[0];
	struct gev_greenlet *reader = gev_spawn(read_byte, state);
	gev_yield();
	cr_assert_eq(write(fds[1], "x", 1), 1);
	double until = gev_now() + 30;
	while (!state[0] && gev_now() < until)
		gev_yield();
	cr_expect_eq(state[0], 1);
	gev_join(reader, 1, NULL);
}

/* ---- An OS thread ends while its greenlets wait in the lot ---- */

static int place;

static void *wait_for_ever(void *arg)
{
	gev__lot_wait(&place, NULL, NULL, NULL, GEV_NEVER, 0, NULL);
	return NULL;
}

static void *end_early(void *arg)
{
	gev_release(gev_spawn(wait_for_ever, NULL));
	gev_yield();
	return NULL;
}

Test(wake, a_thread_that_ends_takes_its_waiters_out_of_the_lot)
{
	pthread_t t;
	cr_assert_eq(pthread_create(&t, NULL, end_early, NULL), 0);
	cr_assert_eq(pthread_join(t, NULL), 0);
	cr_expect_eq(gev__lot_wake(&place, 1, 0), 0);
}
