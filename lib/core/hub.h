/* hub.h: one per OS thread: who is ready, who sleeps until when, and the libev loop that says what became ready outside.
 *
 * Greenlets switch to one another directly; the hub's own context runs only when nobody is ready, or when the budget says that descriptors
 * and timers must be looked at again. Invariants: the ring has a place for every live greenlet, so a push never fails; only its OS thread touches a hub, except `inbox` and `asleep`, which are atomic;
 * live = greenlets that are not DONE, main included. */
#ifndef GEV_CORE_HUB_H
#define GEV_CORE_HUB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/clock.h"
#include "lib/context/identity.h"
#include "lib/core/blocks.h"
#include "lib/core/greenlet.h"
#include "lib/core/timers.h"

struct ev_loop;
struct gev__exceptions;

/* What a higher module keeps for a hub. The hub calls it down; it never looks up. */
struct gev__slot {
	void *data;
	void (*told)(struct gev__hub *hub, void *data); /* on the hub's thread, after a gev__hub_tell */
	void (*after_fork)(struct gev__hub *hub, void *data);
	void (*fini)(struct gev__hub *hub, void *data);
};

enum { GEV__SLOT_READINESS, GEV__SLOTS };

enum { GEV__WARM = 8 };

enum {
	GEV__ARRIVE_DEAD = 1,   /* reclaim `dead` */
	GEV__ARRIVE_SIGNALS = 2 /* tell the shim: its hook may have to change the signal mask */
};

/* Something that the hub's own flow does for others, soon, first come first served. It lies wherever its owner keeps it until it has run. */
struct gev__call {
	struct gev__call *next;
	void (*fn)(struct gev__call *call);
};

struct gev__hub {
	struct gev_greenlet self;    /* the hub's own flow */
	struct gev_greenlet main;    /* the OS thread's */
	struct gev_greenlet **ready; /* the FIFO: a ring of ready_mask + 1 places, taken: [ready_head, ready_tail) */
	uint32_t ready_mask;
	uint32_t ready_head;
	uint32_t ready_tail;
	int countdown; /* switches until the clock is looked at */
	int countdown_from;
	int countdown_most;
	int64_t ticked_at;
	int64_t polled_at;
	uint32_t warm;                /* how many of the next have been touched ahead */
	struct gev__exceptions *cxx;  /* of those who run as the OS thread; NULL: no C++ */
	ptrdiff_t libc_tls;           /* where errno and its neighbours lie from every thread pointer */
	ptrdiff_t current_tls;        /* where gev__current does */
	struct gev__running *running; /* gev__first_hub, or our own */
	struct gev__running own_running;
	uint32_t pass_left; /* how many of those that were ready after the last poll have not run yet */
	int busy;           /* depth of stretches in which the runtime must not be interrupted */
	uint32_t era;       /* gev__era when it was made, or forked */
	size_t live;
	struct gev_greenlet *dead;      /* left for the last time; the next arrival reclaims it */
	uint8_t on_arrival;             /* what an arrival must do besides: GEV__ARRIVE_* */
	struct gev_greenlet *preempted; /* left in the middle of its own code; ready once the hub has looked outside */
	size_t alone; /* self_if_others: live greenlets up to which there is nobody to switch to; 1, or in a pinned stretch more than there can be */
	int pins;
	struct gev_greenlet *all;
	struct gev__call *calls;
	struct gev__call **calls_last;
	int64_t doubt;   /* how long it has slept in vain, and must ask whether anything can wake it; 0: not at all */
	long references; /* atomic: what else may still wake somebody, and is neither timer nor descriptor: signal watchers, work given to threads */
	struct gev__timers timers;
	struct gev__blocks blocks;
	struct gev__stack_pool stacks;
	size_t stack_size; /* of a greenlet of which it is not said */
	struct gev__identity_pool identities;
	struct gev__stack self_stack;
	void *fault_stack;          /* the alternate stack of this OS thread, if it is ours */
	struct gev__hub_loop *loop; /* NULL until a descriptor is waited for */
	struct gev__slot slots[GEV__SLOTS];
	struct gev_greenlet *inbox; /* atomic: woken from elsewhere, last first */
	uint32_t asleep;            /* atomic futex word: 1 while the OS thread sleeps or is about to */
	struct gev__hub *next;      /* of all hubs (debug.h) */
};

/* This OS thread's hub; makes it if there is none. NULL and *error: -ENOMEM. */
struct gev__hub *gev__hub_get(int *error);

/* At the OS thread's end: everything of its hub is given back; greenlets that have not ended never will. */
void gev__hub_free(struct gev__hub *h);

/* This OS thread's hub, NULL if it has none. */
static inline struct gev__hub *gev__hub_here(void)
{
	const struct gev_greenlet *g = gev__self();
	return g ? g->hub : NULL;
}

static inline uint32_t gev__ready_n(const struct gev__hub *h)
{
	return h->ready_tail - h->ready_head;
}

static inline void gev__ready_push(struct gev__hub *h, struct gev_greenlet *g)
{
	gev__set_state(g, GEV__READY);
	/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): h is the hub of a greenlet that has not ended, and such a one has a hub. */
	h->ready[h->ready_tail++ & h->ready_mask] = g;
}

static inline struct gev_greenlet *gev__ready_pop(struct gev__hub *h)
{
	if (h->ready_head == h->ready_tail)
		return NULL;
	h->pass_left -= h->pass_left != 0;
	return h->ready[h->ready_head++ & h->ready_mask];
}

int gev__ready_grow(struct gev__hub *h);
/* Makes the ring as big as `live` greenlets may need. -EAGAIN. */
static inline int gev__ready_reserve(struct gev__hub *h, size_t live)
{
	return likely(h->ready && live <= h->ready_mask) ? 0 : gev__ready_grow(h);
}

/* Leaves the running greenlet, whose state says why, for whoever is next. Returns when it runs again. */
void gev__hub_switch(struct gev__hub *h, struct gev_greenlet *from);
/* What every arrival does first. */
void gev__hub_arrive(struct gev__hub *h, struct gev_greenlet *self);

/* Has it called. On the hub's OS thread. */
void gev__hub_call(struct gev__hub *h, struct gev__call *call);
/* The hub's own flow: makes those that are there now. */
void gev__calls_make(struct gev__hub *h);
void gev__calls_forget(struct gev__hub *h);

/* Another thread's wake. */
void gev__hub_post(struct gev__hub *h, struct gev_greenlet *g);
/* Any thread, while the hub lives: has it call every slot's `told`, before it sleeps and before any greenlet's next turn. */
void gev__hub_tell(struct gev__hub *h);
/* Makes the greenlets of the inbox ready. */
void gev__hub_drain(struct gev__hub *h);

/* In a forked child: only the caller's greenlet is left. */
void gev__hub_forked(struct gev__hub *h);

#endif
