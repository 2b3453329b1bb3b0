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
#include "lib/core/hooks.h"
#include "lib/core/hub.h"
#include "lib/core/lot.h"
#include "lib/core/park.h"

static void enter_all(struct gev__hub *h, struct gev_greenlet *g)
{
	g->all_next = h->all;
	g->all_link = &h->all;
	if (h->all)
		h->all->all_link = &g->all_next;
	h->all = g;
}

static void leave_all(struct gev_greenlet *g)
{
	*g->all_link = g->all_next;
	if (g->all_next)
		g->all_next->all_link = g->all_link;
}

/* The first frame of every greenlet. */
static void first_frame(void *arg)
{
	struct gev_greenlet *g = arg;
	struct gev__hub *h = g->hub;
	gev__current = g; /* for the whole of its life, if nobody shares its identity */
	gev__hub_arrive(h, g);
	if (g->own_identity)
		gev__identity_begin();
	gev__probe(start, g);
	h->busy--;
	if (g->is_thread)
		g->thread_entry(g->arg);
	else
		g->value = g->entry(g->arg);
	gev__greenlet_finish();
}

int gev__greenlet_new(struct gev__hub *hub, const struct gev__spawn *how, void *(*entry)(void *), void *arg,
		      struct gev_greenlet **out)
{
	int ready = gev__ready_reserve(hub, hub->live + 1);
	if (ready < 0)
		return ready;
	struct gev_greenlet *g = gev__block_get(&hub->blocks);
	if (g == NULL)
		return -EAGAIN;
	struct gev__stack stack;
	if (how->stack) {
		stack = (struct gev__stack){.lo = how->stack, .hi = (char *)how->stack + how->stack_size};
	} else {
		int r = gev__stack_get(&hub->stacks, how->stack_size, how->guard_size, &stack);
		if (r < 0) {
			gev__block_put(&hub->blocks, g);
			return r;
		}
	}
	void *tp = hub->main.context.tp;
	if (how->own_identity) {
		int r = gev__identity_get(&hub->identities, &tp);
		if (r < 0) {
			gev__block_put(&hub->blocks, g);
			gev__stack_put(&stack);
			return r;
		}
	}
	*g = (struct gev_greenlet){
		.hub = hub,
		.state = GEV__NEW,
		.held = how->held,
		.own_identity = how->own_identity,
		.arg = arg,
		.stack = stack,
	};
	g->is_thread = how->thread_entry != NULL;
	if (g->is_thread)
		g->thread_entry = how->thread_entry;
	else
		g->entry = entry;
	if (how->name)
		snprintf(g->name, sizeof g->name, "%s", how->name);
	gev__context_make(&g->context, stack.lo, stack.hi, first_frame, g, tp);
	enter_all(hub, g);
	hub->live++;
	gev__probe(create, g);
	if (unlikely(gev__hooks != NULL))
		gev__hooks->made(g);
	if (!how->suspended)
		gev__ready_push(hub, g);
	*out = g;
	return 0;
}

void gev__greenlet_start(struct gev_greenlet *g)
{
	if (g->state == GEV__NEW)
		gev__ready_push(g->hub, g);
}

void gev__greenlet_reclaim(struct gev_greenlet *g)
{
	struct gev__hub *h = g->hub;
	leave_all(g);
	gev__note_gone(&g->context.note);
	if (g->own_identity)
		gev__identity_put(&h->identities, g->context.tp);
	gev__stack_put(&g->stack);
	gev__block_put(&h->blocks, g);
}

void gev__greenlet_unhold(struct gev_greenlet *g)
{
	g->held = false;
	if (g->state == GEV__DONE && g->hub->dead != g)
		gev__greenlet_reclaim(g);
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

void gev__greenlet_finish(void)
{
	struct gev_greenlet *g = gev__self();
	struct gev__hub *h = g->hub;
	h->live--;
	gev__probe(exit, g);
	if (g == &h->main)
		finish_main(h, g);
	/* The last thread of a process takes the process with it, with status 0 (POSIX, pthread_exit). Main has ended before, or a fork left it behind. */
	if (h->live == 0)
		exit(EXIT_SUCCESS);
	/* Another thread's wake may still be on its way through our inbox: it holds a pointer to us until the hub has seen it. */
	while (__atomic_load_n(&g->in_inbox, __ATOMIC_ACQUIRE))
		gev__hub_drain(h);
	__atomic_store_n(&g->state, GEV__DONE, __ATOMIC_RELEASE);
	gev__lot_wake(g, INT_MAX, 0);
	if (!g->held) {
		h->dead = g;
		h->on_arrival |= GEV__ARRIVE_DEAD;
	}
	gev__hub_leave(h, g);
}
