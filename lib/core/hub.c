/* The hub: scheduling, its own flow, and its birth.
 *
 * The order of things in a turn of the hub: descriptors, inbox, timers, then the first of the ready. When nobody is ready it sleeps: in libev
 * once a descriptor is waited for, else on a futex, so that a program that only sleeps and locks never makes a loop. */
#include "lib/core/hub.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "lib/base/macros.h"
#include "lib/base/options.h"
#include "lib/base/probe.h"
#include "lib/base/sys.h"
#include "lib/core/deadlock.h"
#include "lib/core/debug.h"
#include "lib/core/exceptions.h"
#include "lib/core/extra.h"
#include "lib/core/handle.h"
#include "lib/core/hooks.h"
#include "lib/core/hub-loop.h"
#include "lib/core/lot.h"
#include "lib/core/overflow.h"
#include "lib/core/park.h"
#include "lib/core/signals.h"
#include "lib/core/switch.h"
#include "lib/core/verify.h"

__thread struct gev_greenlet *gev__current __attribute__((tls_model("initial-exec")));
struct gev__running gev__first_hub;
const struct gev__hooks *gev__hooks;

/* The budget. Timers are looked at every millisecond of running. Descriptors too, but not before everybody who was ready after the last poll has
 * had his turn: until then the sockets of those who wait for their turn are still readable, and a level-triggered poll would only report them
 * again (measured with 1000 busy connections: two epoll_ctl and one fcntl a request more). A pass that lasts longer than POLL_AT_LAST_NS is
 * interrupted all the same. */
#define TICK_NS (NS_PER_S / 1000)
#define POLL_AT_LAST_NS (NS_PER_S / 10)
/* How rarely the clock is read for that, in switches. */
#define COUNTDOWN_MAX 64

#define HUB_STACK_SIZE (256 * 1024)

/* ---- Who is next ---- */

static void run_timers(struct gev__hub *h, int64_t now)
{
	while (gev__timers_first(&h->timers) <= now) {
		struct gev_greenlet *g = h->timers.at[1].g;
		gev__timers_remove(&h->timers, g);
		if (g->state == GEV__PARKED) {
			gev__ready_push(h, g);
			g->why = -ETIMEDOUT;
		}
	}
}

/* The countdown is over: reads the clock, runs the timers; whether it is time to poll. Adapts the countdown, so that greenlets that run
 * long between switches have the clock read at every one of them, and those that switch at once do not pay for it. */
bool gev__tick(struct gev__hub *h)
{
	int64_t now = gev__now();
	int64_t took = now - h->ticked_at;
	h->ticked_at = now;
	if (took > TICK_NS / 2) {
		for (; took > TICK_NS / 2 && h->countdown_from > 1; took /= 2)
			h->countdown_from /= 2;
	} else if (took < TICK_NS / 8 && h->countdown_from < h->countdown_most) {
		h->countdown_from *= 2;
	}
	h->countdown = h->countdown_from;
	if (unlikely(gev__hooks && gev__hooks->left))
		gev__hooks->left(h, gev__self(), now);
	run_timers(h, now);
	int64_t unpolled = now - h->polled_at;
	return h->calls != NULL || unpolled >= POLL_AT_LAST_NS || (unpolled >= TICK_NS && h->pass_left == 0);
}

int gev__ready_grow(struct gev__hub *h)
{
	enum { FIRST_ROOM = 64 };
	uint32_t room = h->ready ? (h->ready_mask + 1) * 2 : FIRST_ROOM;
	/* Whoever sleeps has a timer: its place is reserved with the one on the ring. */
	if (gev__timers_reserve(&h->timers, room) < 0)
		return -EAGAIN;
	struct gev_greenlet **ring = malloc(room * sizeof *ring);
	if (ring == NULL)
		return -EAGAIN;
	uint32_t n = gev__ready_n(h);
	for (uint32_t i = 0; i < n; i++)
		ring[i] = h->ready[(h->ready_head + i) & h->ready_mask];
	free(h->ready);
	h->ready = ring;
	h->ready_mask = room - 1;
	h->ready_head = 0;
	h->ready_tail = n;
	return 0;
}

/* With thousands of greenlets each one's turn begins with cold memory: its stack and its thread-local storage lie on pages of their own, and the first
 * touch of each is a walk through cold page tables (half a microsecond on a virtual machine, most of a request's user time). The ring says who
 * comes next. A prefetch is dropped where the translation is missing, so the pages of the next few are touched by plain loads, which do not depend on
 * one another and overlap; then the lines are prefetched one greenlet ahead. With few greenlets everything is in the cache, and this would only cost. */
void gev__warm_next(const struct gev__hub *h)
{
	for (uint32_t i = 0; i < GEV__WARM; i++) {
		const struct gev_greenlet *g = h->ready[(h->ready_head + i) & h->ready_mask];
		gev__context_warm(&g->context);
		__builtin_prefetch(g->wait_room, 1);
		__builtin_prefetch(g->wait_room[0], 1);
		__builtin_prefetch((const void *)((uintptr_t)g->wait_room[0] + CACHE_LINE), 1);
		(void)*((const volatile char *)g->context.tp + h->libc_tls);
	}
}

void gev__arrive_slowly(struct gev__hub *h, struct gev_greenlet *self)
{
	int *error = gev__tls_of(self, h->libc_tls), saved = *error;
	if (h->on_arrival & GEV__ARRIVE_DEAD) {
		struct gev_greenlet *dead = h->dead;
		h->on_arrival &= (uint8_t)~GEV__ARRIVE_DEAD;
		h->dead = NULL;
		gev__greenlet_bury(dead);
	}
	if ((h->on_arrival & GEV__ARRIVE_SIGNALS) && self != &h->self)
		gev__signal_hooks->arrive();
	*error = saved;
}

void gev__hub_arrive(struct gev__hub *h, struct gev_greenlet *self)
{
	gev__arrive(h, self);
}

void gev__switch_in_catch(struct gev__exceptions *here, struct gev_greenlet *from, struct gev_greenlet *to)
{
	struct gev__exceptions own = gev__exceptions_take(here);
	gev__context_switch(&from->context, &to->context);
	*here = own;
}

void gev__hub_switch(struct gev__hub *h, struct gev_greenlet *from)
{
	gev__switch(h, from);
}

/* ---- Wakes from elsewhere ---- */

void gev__hub_post(struct gev__hub *h, struct gev_greenlet *g)
{
	if (__atomic_exchange_n(&g->in_inbox, true, __ATOMIC_ACQ_REL))
		return; /* one is enough */
	struct gev_greenlet *first = __atomic_load_n(&h->inbox, __ATOMIC_RELAXED);
	do
		g->inbox_next = first;
	while (!__atomic_compare_exchange_n(&h->inbox, &first, g, true, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED));
	/* Sequentially consistent on both sides: either the hub sees the inbox after it has said that it sleeps, or we see that it sleeps. */
	if (__atomic_exchange_n(&h->asleep, 0, __ATOMIC_SEQ_CST) == 0)
		return;
	struct gev__hub_loop *loop = __atomic_load_n(&h->loop, __ATOMIC_ACQUIRE);
	if (loop)
		gev__loop_interrupt(loop);
	else
		gev__sys.syscall(SYS_futex, (long)&h->asleep, FUTEX_WAKE_PRIVATE, INT_MAX, 0, 0, 0);
}

/* The hub's own flow is never parked, so in the inbox it stands for something else. */
void gev__hub_tell(struct gev__hub *h)
{
	gev__hub_post(h, &h->self);
}

static void be_told(struct gev__hub *h)
{
	gev__signals_told(h);
	for (int i = 0; i < GEV__SLOTS; i++)
		if (h->slots[i].told)
			h->slots[i].told(h, h->slots[i].data);
}

void gev__hub_drain(struct gev__hub *h)
{
	struct gev_greenlet *last = __atomic_exchange_n(&h->inbox, NULL, __ATOMIC_ACQUIRE);
	struct gev_greenlet *first = NULL;
	while (last) {
		struct gev_greenlet *next = last->inbox_next;
		last->inbox_next = first;
		first = last;
		last = next;
	}
	while (first) {
		struct gev_greenlet *next = first->inbox_next;
		/* An exchange, not a store: who finds it true relies on this wake, and what he wrote before must be seen by whoever it wakes. */
		(void)__atomic_exchange_n(&first->in_inbox, false, __ATOMIC_ACQ_REL);
		if (unlikely(first == &h->self))
			be_told(h);
		else
			gev__handle_hear(first);
		first = next;
	}
}

/* ---- The hub's own flow ---- */

static void sleep_on_futex(struct gev__hub *h, int64_t deadline)
{
	struct timespec until = gev__timespec(deadline);
	/* FUTEX_WAIT_BITSET takes an absolute CLOCK_MONOTONIC time, in nanoseconds (futex(2)). */
	gev__sys.syscall(SYS_futex, (long)&h->asleep, FUTEX_WAIT_BITSET_PRIVATE, 1,
			 deadline == NEVER ? 0 : (long)&until, 0, (long)FUTEX_BITSET_MATCH_ANY);
}

/* Nothing else will ever happen. Source: gevent.exceptions.LoopExit, which goes to the main greenlet too. */
static void tell_main(struct gev__hub *h)
{
	gev__ready_push(h, &h->main);
	h->main.why = -EDEADLK;
}

static void poll_outside(struct gev__hub *h)
{
	if (h->on_arrival & GEV__ARRIVE_SIGNALS)
		gev__signal_hooks->idle();
	if (gev__ready_n(h) || h->preempted || h->calls) {
		if (h->loop)
			gev__loop_poll(h->loop);
		return;
	}
	__atomic_store_n(&h->asleep, 1, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&h->inbox, __ATOMIC_SEQ_CST) == NULL) {
		int64_t deadline = gev__timers_first(&h->timers);
		if (unlikely(deadline == NEVER) && gev__deadlocked(h, &deadline))
			tell_main(h);
		else if (h->loop)
			gev__loop_sleep(h->loop, deadline);
		else
			sleep_on_futex(h, deadline);
	} else if (h->loop) {
		/* Other threads that wake us all the time must not keep us from our descriptors. */
		gev__loop_poll(h->loop);
	}
	__atomic_store_n(&h->asleep, 0, __ATOMIC_RELAXED);
}

static bool run_next(struct gev__hub *h)
{
	struct gev_greenlet *next = gev__ready_pop(h);
	if (next == NULL)
		return false;
	gev__context_switch(&h->self.context, &next->context);
	gev__hub_arrive(h, &h->self);
	return true;
}

static void run(void *arg)
{
	struct gev__hub *h = arg;
	gev__hub_arrive(h, &h->self);
	for (;;) {
		if (unlikely(h->calls != NULL)) {
			gev__calls_make(h);
			/* It was only for that. */
			if (h->ticked_at - h->polled_at < TICK_NS && run_next(h))
				continue;
		}
		poll_outside(h);
		gev__hub_drain(h);
		h->polled_at = h->ticked_at = gev__now();
		run_timers(h, h->polled_at);
		if (h->preempted) {
			gev__ready_push(h, h->preempted);
			h->preempted = NULL;
		}
		h->pass_left = gev__ready_n(h);
		if (h->pass_left)
			h->doubt = 0;
		gev__probe(turn, h->pass_left);
		if (unlikely(gev__hooks != NULL))
			gev__hooks->turned(h, h->polled_at);
		gev__verify(h);
		h->countdown = h->countdown_from;
		run_next(h);
	}
}

/* ---- Birth, fork ---- */

void gev__hub_free(struct gev__hub *h)
{
	if (gev__hooks)
		gev__hooks->hub_gone(h);
	gev__hubs_remove(h);
	/* Their places in the lot lie on their stacks. */
	gev__lot_forget(h);
	gev__handles_report(h);
	gev__handles_survive(h);
	if (h->main.extra)
		gev__extra_free(&h->main);
	for (int i = 0; i < GEV__SLOTS; i++)
		if (h->slots[i].fini)
			h->slots[i].fini(h, h->slots[i].data);
	gev__loop_free(h);
	gev__overflow_unwatch(h);
	gev__timers_done(&h->timers);
	gev__note_gone(&h->self.context.note);
	gev__stack_put(&h->self_stack);
	gev__stack_pool_done(&h->stacks);
	gev__identity_pool_done(&h->identities);
	free(h->ready);
	free(h);
}

/* Runs when an OS thread with a hub ends (not at exit of the process: there everything goes at once). */
static void thread_ends(void *arg)
{
	struct gev__hub *h = arg;
	gev__locals_end(&h->main);
	gev__current = NULL;
	__atomic_store_n(&h->running->tp, NULL, __ATOMIC_RELEASE);
	gev__hub_free(h);
}

static pthread_key_t thread_end_key;

static void make_key(void)
{
	if (pthread_key_create(&thread_end_key, thread_ends))
		gev__die("no key for the end of a thread");
}

/* Main's end is the process's. So a program whose only hub is main's keeps all of its PTHREAD_KEYS_MAX keys. */
static void free_at_end(struct gev__hub *h)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	if (gev__sys.syscall(SYS_gettid, 0, 0, 0, 0, 0, 0) == getpid())
		return;
	pthread_once(&once, make_key);
	pthread_setspecific(thread_end_key, h);
}

struct gev__hub *gev__hub_get(int *error)
{
	struct gev__hub *h = gev__hub_here();
	if (likely(h != NULL))
		return h;
	*error = posix_memalign((void **)&h, CACHE_LINE, sizeof *h) ? -ENOMEM : 0;
	if (*error)
		return NULL;
	/* With an observer of every switch the clock is looked at each time, and he is told. */
	int most = gev__hooks && gev__hooks->left ? 1 : COUNTDOWN_MAX;
	*h = (struct gev__hub){
		.countdown = 1, .countdown_from = most, .countdown_most = most, .live = 1, .alone = 1, .era = gev__era};
	if (gev__ready_reserve(h, 1) < 0 || gev__stack_get(&h->stacks, HUB_STACK_SIZE, 0, &h->self_stack) < 0) {
		free(h->ready);
		gev__timers_done(&h->timers);
		free(h);
		*error = -ENOMEM;
		return NULL;
	}
	h->self.hub = h->main.hub = h;
	h->stack_size = (size_t)gev__options()->stack_size;
	gev__calls_forget(h);
	h->main.state = GEV__RUNNING;
	gev__context_adopt(&h->main.context);
	gev__context_make(&h->self.context, h->self_stack.lo, h->self_stack.hi, run, h, h->main.context.tp);
	/* Whoever is first keeps the place. */
	void *nobody = NULL;
	bool first = __atomic_compare_exchange_n(&gev__first_hub.tp, &nobody, h->main.context.tp, false,
						 __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
	h->cxx = gev__exceptions_here();
	h->libc_tls = (char *)&errno - (char *)h->main.context.tp;
	h->current_tls = (char *)&gev__current - (char *)h->main.context.tp;
	h->running = first ? &gev__first_hub : &h->own_running;
	gev__hub_arrive(h, &h->main);
	gev__lot_start();
	free_at_end(h);
	gev__handles_report_at_exit();
	gev__hubs_add(h);
	if (gev__hooks)
		gev__hooks->hub_made(h);
	gev__overflow_watch(h);
	return h;
}

void gev__hub_forked(struct gev__hub *h)
{
	struct gev_greenlet *self = gev__self();
	/* The first hub's thread is gone, unless it is the caller. */
	if (h->running != &gev__first_hub)
		gev__first_hub = (struct gev__running){0};
	h->ready_head = h->ready_tail = h->pass_left = 0;
	h->inbox = NULL;
	h->self.in_inbox = false;
	h->asleep = 0;
	h->preempted = NULL;
	gev__calls_forget(h);
	h->references = 0;
	gev__helper_threads = 0;
	for (uint32_t i = 1; i <= h->timers.n; i++)
		h->timers.at[i].g->timer_at = 0;
	h->timers.n = 0;
	if (h->loop)
		gev__loop_forked(h);
	for (int i = 0; i < GEV__SLOTS; i++)
		if (h->slots[i].after_fork)
			h->slots[i].after_fork(h, h->slots[i].data);
	struct gev_greenlet *next;
	for (struct gev_greenlet *g = h->all; g; g = next) {
		next = g->all_next;
		if (g == self)
			continue;
		/* Their stacks hold nothing that anybody will run; the memory serves again. */
		if (g->own_identity)
			gev__identity_forked(g->context.tp);
		g->in_inbox = false;
		gev__links_forget(g);
		if (g->refs && !g->is_thread)
			gev__greenlet_lose(g);
		else
			gev__greenlet_reclaim(g);
	}
	self->in_inbox = false;
	self->ends = NULL; /* whoever waited for its end stayed behind */
	h->era = gev__era;
	if (self->own_identity)
		gev__identity_survived(self->context.tp);
	if (self != &h->main)
		h->main.state = GEV__DONE;
	h->live = 1;
	gev__hubs_forked(h);
	if (gev__hooks)
		gev__hooks->hub_forked(h);
	/* The hub's own flow starts anew: it may have been in the middle of a turn when another thread's main forked, and its loop is another one. */
	gev__context_make(&h->self.context, h->self_stack.lo, h->self_stack.hi, run, h, h->self.context.tp);
}
