/* Wakes from signal handlers that interrupt the runtime anywhere: none is lost, and nobody hangs. */
#include <criterion/criterion.h>
#include <gev/gev.h>

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <unistd.h>

#include "gev/embed.h"
#include "lib/base/clock.h"
#include "lib/core/lot-queue.h"
#include "lib/core/lot.h"

/* A semaphore as small as can be: what nobody waits for is counted. */
struct sem {
	int value; /* under the lock of its queue */
};

static bool none_left(void *arg)
{
	struct sem *s = arg;
	if (s->value == 0)
		return true;
	s->value--;
	return false;
}

static uintptr_t keep_if_nobody(void *arg, bool woken, bool more)
{
	struct sem *s = arg;
	s->value += !woken;
	return 0;
}

static void take(struct sem *s)
{
	int r = gev__lot_wait(s, none_left, NULL, s, GEV_NEVER, 0, NULL);
	cr_assert(r == 0 || r == -EAGAIN, "%d", r);
}

static void post(struct sem *s)
{
	gev__lot_wake_one(s, keep_if_nobody, s);
}

/* So many posts; fewer where the machine has other work, because each of a handler's costs a turn of two OS threads. AHEAD: who takes may be ahead of
 * the handlers, by what the others have put in and not yet taken. */
enum { POSTS = 30000, AHEAD = 10, ENOUGH_NS = 1500000000 };
static struct sem from_handler, ping, pong;
static int posts = POSTS; /* changed once at most, AHEAD of the last one */
static int handled, taken, stop;

static void handler(int sig)
{
	int saved = errno;
	if (handled < POSTS) {
		__atomic_store_n(&handled, handled + 1, __ATOMIC_RELEASE);
		gev__lot_wake_one_async(&from_handler, keep_if_nobody);
	}
	errno = saved;
}

static void *take_all(void *arg)
{
	do {
		take(&from_handler);
		__atomic_add_fetch(&taken, 1, __ATOMIC_RELAXED);
	} while (taken < __atomic_load_n(&posts, __ATOMIC_SEQ_CST));
	__atomic_store_n(&stop, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

/* What the handlers interrupt: the very queue's lock, switches, births and ends. */
static void *hammer(void *arg)
{
	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		post(&from_handler);
		take(&from_handler);
		gev_yield();
	}
	return NULL;
}

static void *nothing(void *arg)
{
	return arg;
}

static void *answer(void *arg)
{
	for (;;) {
		take(&ping);
		bool last = __atomic_load_n(&stop, __ATOMIC_RELAXED);
		post(&pong); /* also then: who asked may not have seen yet that it ends */
		if (last)
			return NULL;
	}
}

static pthread_t target;

/* The next one when the last has been handled: so they come as fast as they can, and wherever the target is. */
static void *send_all(void *arg)
{
	int64_t enough = gev__now() + ENOUGH_NS;
	for (int i = 0; i < posts; i++) {
		if (i + AHEAD < posts && gev__now() > enough)
			__atomic_store_n(&posts, i + AHEAD, __ATOMIC_SEQ_CST);
		pthread_kill(target, SIGUSR1);
		while (__atomic_load_n(&handled, __ATOMIC_ACQUIRE) <= i)
			sched_yield();
	}
	return NULL;
}

static void begin(pthread_t *sender)
{
	struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
	cr_assert_eq(sigaction(SIGUSR1, &action, NULL), 0);
	target = pthread_self();
	gev_sleep(0);
	cr_assert_eq(pthread_create(sender, NULL, send_all, NULL), 0);
}

static void block_here(bool block)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	pthread_sigmask(block ? SIG_BLOCK : SIG_UNBLOCK, &set, NULL);
}

Test(async, greenlets_get_every_post_of_handlers_that_interrupt_their_hub)
{
	pthread_t sender;
	begin(&sender);
	struct gev_greenlet *taker = gev_spawn(take_all, NULL), *a = gev_spawn(answer, NULL);
	struct gev_greenlet *h[3];
	for (int i = 0; i < 3; i++)
		h[i] = gev_spawn(hammer, NULL);
	for (unsigned turn = 0; !__atomic_load_n(&stop, __ATOMIC_RELAXED); turn++) {
		post(&ping);
		take(&pong);
		struct gev_greenlet *passing = gev_spawn(nothing, NULL);
		gev_join(passing, GEV_FOREVER, NULL);
		gev_release(passing);
		if (turn % 65536 == 0)
			gev_sleep(0.0001);
	}
	post(&ping);
	cr_expect_eq(gev_join(taker, 60, NULL), 0);
	cr_expect_eq(gev_join(a, 60, NULL), 0);
	for (int i = 0; i < 3; i++)
		cr_expect_eq(gev_join(h[i], 60, NULL), 0);
	pthread_join(sender, NULL);
	cr_expect_eq(taken, posts);
	cr_expect_eq(from_handler.value, 0);
}

/* The other way round: OS threads without a hub wait, and greenlets of another hub; the handler interrupts a plain thread that uses the same queue. */

static void *take_all_on_a_thread(void *arg)
{
	block_here(true);
	return take_all(arg);
}

static void *hub_of_takers(void *arg)
{
	block_here(true);
	struct gev_greenlet *g = gev_spawn(hammer, NULL);
	gev_join(g, GEV_FOREVER, NULL);
	gev_release(g);
	return NULL;
}

static void *interrupted(void *arg)
{
	pthread_t sender;
	begin(&sender);
	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		post(&from_handler);
		take(&from_handler);
	}
	pthread_join(sender, NULL);
	return NULL;
}

Test(async, threads_and_other_hubs_get_every_post)
{
	pthread_t t[3];
	cr_assert_eq(pthread_create(&t[0], NULL, take_all_on_a_thread, NULL), 0);
	cr_assert_eq(pthread_create(&t[1], NULL, hub_of_takers, NULL), 0);
	cr_assert_eq(pthread_create(&t[2], NULL, interrupted, NULL), 0);
	for (int i = 0; i < 3; i++)
		pthread_join(t[i], NULL);
	cr_expect_eq(taken, posts);
	cr_expect_eq(from_handler.value, 0);
}

/* ---- One by one ---- */

static struct bucket *held;

Test(async, what_is_noted_while_the_queue_is_held_is_done_when_it_is_given_back)
{
	struct sem *s = &from_handler;
	held = bucket_of(s);
	gev__lock(&held->lock);
	for (int i = 0; i < 5; i++)
		gev__lot_wake_one_async(s, keep_if_nobody);
	cr_expect_eq(s->value, 0);
	give_back(held);
	cr_expect_eq(s->value, 5);
}

static void *hold_and_post(void *arg)
{
	held = bucket_of(&from_handler);
	gev__lock(&held->lock);
	gev__lot_wake_one_async(&from_handler, keep_if_nobody);
	gev__lot_wake_one_async(&from_handler, keep_if_nobody);
	give_back(held);
	return NULL;
}

Test(async, noted_wakes_go_to_whoever_waits_first_and_the_rest_is_kept)
{
	struct gev_greenlet *h = gev_spawn(hold_and_post, NULL);
	take(&from_handler);
	cr_expect_eq(from_handler.value, 1);
	take(&from_handler);
	cr_expect_eq(gev_join(h, 10, NULL), 0);
}

static void *post_half(void *arg)
{
	for (int i = 0; i < POSTS / 2; i++)
		gev__lot_wake_one_async(&from_handler, keep_if_nobody);
	return NULL;
}

Test(async, not_only_handlers_may_call_it)
{
	pthread_t t[2];
	struct gev_greenlet *taker = gev_spawn(take_all, NULL), *h = gev_spawn(hammer, NULL);
	for (int i = 0; i < 2; i++)
		cr_assert_eq(pthread_create(&t[i], NULL, post_half, NULL), 0);
	cr_expect_eq(gev_join(taker, 60, NULL), 0);
	cr_expect_eq(gev_join(h, 60, NULL), 0);
	for (int i = 0; i < 2; i++)
		pthread_join(t[i], NULL);
	cr_expect_eq(taken, posts);
	cr_expect_eq(from_handler.value, 0);
}

/* Without membarrier(2). */

static long refuse_membarrier(long number, long a, long b, long c, long d, long e, long f)
{
	if (number == SYS_membarrier) {
		errno = ENOSYS;
		return -1;
	}
	return syscall(number, a, b, c, d, e, f);
}

Test(async, where_the_kernel_has_no_membarrier)
{
	gev__sys.syscall = refuse_membarrier;
	pthread_t sender;
	begin(&sender);
	struct gev_greenlet *taker = gev_spawn(take_all, NULL), *h = gev_spawn(hammer, NULL);
	cr_expect_eq(gev_join(taker, 60, NULL), 0);
	cr_expect_eq(gev_join(h, 60, NULL), 0);
	pthread_join(sender, NULL);
	cr_expect_eq(taken, posts);
}
