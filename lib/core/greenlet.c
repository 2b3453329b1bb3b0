/* Greenlets: birth, first run, end. */
#include "lib/core/greenlet.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/base/macros.h"
#include "lib/base/probe.h"
#include "lib/core/end.h"
#include "lib/core/extra.h"
#include "lib/core/hooks.h"
#include "lib/core/hub.h"
#include "lib/core/join.h"
#include "lib/core/lot.h"
#include "lib/core/park.h"
#include "lib/core/switch.h"

void gev__enter_all(struct gev__hub *h, struct gev_greenlet *g)
{
	g->all_next = h->all;
	g->all_link = &h->all;
	if (h->all)
		h->all->all_link = &g->all_next;
	h->all = g;
}

void gev__leave_all(struct gev_greenlet *g)
{
	*g->all_link = g->all_next;
	if (g->all_next)
		g->all_next->all_link = g->all_link;
}

void gev__greenlet_start(struct gev_greenlet *g)
{
	if (g->state == GEV__NEW)
		gev__ready_push(g->hub, g);
}

/* A green thread's holder still looks into its TLS: that stays until he lets go. */
static void put_identity(struct gev_greenlet *g)
{
	if (g->own_identity)
		gev__identity_put(&g->hub->identities, g->context.tp);
}

static void put_stack(struct gev_greenlet *g)
{
	gev__note_gone(&g->context.note);
	gev__stack_put(&g->stack);
	g->buried = true;
}

void gev__greenlet_reclaim(struct gev_greenlet *g)
{
	if (!g->buried)
		put_stack(g);
	gev__leave_all(g);
	put_identity(g);
	if (unlikely(g->extra != NULL))
		gev__extra_free(g);
	gev__block_put(&g->hub->blocks, g);
}

void gev__greenlet_bury(struct gev_greenlet *g)
{
	put_stack(g);
	if (!g->is_thread) {
		put_identity(g);
		g->own_identity = false;
	}
	if (unlikely(g->extra != NULL))
		gev__extra_done(g);
	if (__atomic_load_n(&g->refs, __ATOMIC_ACQUIRE))
		return;
	/* The last handle may have been let go between its end and here, by another thread whose word is still on its way. */
	while (unlikely(__atomic_load_n(&g->in_inbox, __ATOMIC_ACQUIRE)))
		gev__hub_drain(g->hub);
	gev__greenlet_reclaim(g);
}

void gev__greenlet_lose(struct gev_greenlet *g)
{
	if (g->buried)
		return;
	put_stack(g);
	put_identity(g);
	g->own_identity = false;
	if (g->extra)
		gev__extra_free(g);
	if (!gev__is_done(g))
		g->lost = true;
	__atomic_store_n(&g->state, GEV__DONE, __ATOMIC_RELEASE);
}

/* The main greenlet has no end of its own: its stack is the OS thread's. */
static void finish_main(struct gev__hub *h, struct gev_greenlet *g)
{
	if (h->live == 0)
		exit(EXIT_SUCCESS);
	g->state = GEV__DONE;
	gev__hub_switch(h, g);
	gev__die("the main greenlet came back from its end");
}

/* On its own stack still: from here to the switch nobody takes a stack. An observer may want to see who is left, and sanitizers that he lives. */
static inline bool may_bury_itself(const struct gev_greenlet *g)
{
	return !GEV__ANNOTATED && !g->own_identity && gev__hooks == NULL && gev__stack_stays(&g->stack);
}

/* All of its end but the last jump. */
static inline void end(struct gev__hub *h, struct gev_greenlet *g, void *value)
{
	h->live--;
	gev__probe(exit, g);
	if (unlikely(gev__hooks != NULL))
		gev__hooks->ended(g);
	if (g == &h->main)
		finish_main(h, g);
	/* The last thread of a process takes the process with it, with status 0 (POSIX, pthread_exit). Main has ended before, or a fork left it behind. */
	if (h->live == 0)
		exit(EXIT_SUCCESS);
	/* Another thread's word may still be on its way through our inbox: it holds a pointer to us until the hub has seen it. */
	while (unlikely(__atomic_load_n(&g->in_inbox, __ATOMIC_ACQUIRE)))
		gev__hub_drain(h);
	struct gev__ending *ends = g->ends;
	g->value = value;
	__atomic_store_n(&g->state, GEV__DONE, __ATOMIC_RELEASE);
	if (ends)
		gev__ends_tell(ends);
	if (unlikely(__atomic_load_n(&g->joined_afar, __ATOMIC_ACQUIRE)))
		gev__lot_wake(g, INT_MAX, 0);
	if (unlikely(g->extra != NULL))
		gev__links_due(g);
	if (likely(may_bury_itself(g))) {
		gev__greenlet_bury(g);
	} else {
		h->dead = g;
		h->on_arrival |= GEV__ARRIVE_DEAD;
	}
}

void gev__greenlet_finish(void *value)
{
	struct gev_greenlet *g = gev__self();
	struct gev__hub *h = g->hub;
	end(h, g, value);
	gev__leave(h, g);
}

/* The first frame of every greenlet. */
static void first_frame(void *arg)
{
	struct gev_greenlet *g = arg;
	struct gev__hub *h = g->hub;
	keep_frame_pointer();
	gev__arrive(h, g);
	if (g->own_identity)
		gev__identity_begin();
	gev__probe(start, g);
	if (unlikely(g->timer_at))
		gev__timers_remove(&h->timers, g); /* it was to start later */
	h->busy--;
	if (g->is_thread) {
		g->thread_entry(g->arg);
		gev__greenlet_finish(NULL);
	}
	if (unlikely(__atomic_load_n(&g->marks, __ATOMIC_RELAXED) & GEV__MARK_KILLED)) {
		/* Killed before it ran: it never does. Source: gevent.Greenlet.kill. */
		g->failed = true;
		gev__greenlet_finish((void *)(intptr_t)ECANCELED);
	}
	/* Here, and not in gev__greenlet_finish: every call that it has made has returned (context-fast-x86_64.c). */
	end(h, g, gev__greenlet_live(g));
	gev__leave(h, g);
}

/* ---- Birth ---- */

/* A whole block at once becomes `rep stos` (gcc 12), which takes longer to start than these stores to end. */
static inline void clear(struct gev_greenlet *g)
{
	char *at = __builtin_assume_aligned(g, CACHE_LINE);
#pragma GCC unroll 8
	for (size_t i = 0; i < sizeof *g; i += CACHE_LINE)
		memset(at + i, 0, CACHE_LINE);
}

/* Inlined twice: the compiler leaves out what `how` does not say. */
static inline __attribute__((always_inline)) int make(struct gev__hub *hub, const struct gev__spawn *how,
						      void *(*entry)(void *), void *arg, struct gev_greenlet **out)
{
	int ready = gev__ready_reserve(hub, hub->live + 1);
	if (ready < 0)
		return ready;
	struct gev_greenlet *g = gev__block_get(&hub->blocks);
	if (g == NULL)
		return -EAGAIN;
	clear(g);
	if (how->stack) {
		g->stack = (struct gev__stack){.lo = how->stack, .hi = (char *)how->stack + how->stack_size};
	} else {
		int r = gev__stack_get(&hub->stacks, how->stack_size, how->guard_size, &g->stack);
		if (r < 0) {
			gev__block_put(&hub->blocks, g);
			return r;
		}
	}
	void *tp = hub->main.context.tp;
	if (how->own_identity) {
		int r = gev__identity_get(&hub->identities, &tp);
		if (r < 0) {
			gev__stack_put(&g->stack);
			gev__block_put(&hub->blocks, g);
			return r;
		}
	}
	char *top = g->stack.hi;
	if (how->copy) {
		enum { ALIGN = 16 };
		top -= round_up(how->copy_size, (size_t)ALIGN);
		arg = memcpy(top, how->copy, how->copy_size);
	}
	g->hub = hub;
	g->state = GEV__NEW;
	g->refs = how->refs;
	g->own_identity = how->own_identity;
	g->arg = arg;
	g->is_thread = how->thread_entry != NULL;
	if (g->is_thread)
		g->thread_entry = how->thread_entry;
	else
		g->entry = entry;
	if (how->name)
		snprintf(g->name, sizeof g->name, "%s", how->name);
	gev__context_make(&g->context, g->stack.lo, top, first_frame, g, tp);
	/* For the whole of its life, and before it: a signal in the middle of the first switch asks who runs, and already runs as it. */
	if (how->own_identity)
		*(struct gev_greenlet **)gev__tls_of(g, hub->current_tls) = g;
	gev__enter_all(hub, g);
	hub->live++;
	gev__probe(create, g);
	if (unlikely(gev__hooks != NULL))
		gev__hooks->made(g);
	if (!how->suspended)
		gev__ready_push(hub, g);
	*out = g;
	return 0;
}

int gev__greenlet_new(struct gev__hub *hub, const struct gev__spawn *how, void *(*entry)(void *), void *arg,
		      struct gev_greenlet **out)
{
	return make(hub, how, entry, arg, out);
}

struct gev_greenlet *gev__greenlet_new_plain(struct gev__hub *hub, uint32_t refs, size_t stack_size,
					     void *(*entry)(void *), void *arg)
{
	const struct gev__spawn how = {.refs = refs, .stack_size = stack_size};
	struct gev_greenlet *g;
	return make(hub, &how, entry, arg, &g) < 0 ? NULL : g;
}
