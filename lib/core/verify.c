/* Whole structures against their invariants: the ring of the ready, the timer heap, the list of all, libev. */
#include "lib/core/verify.h"

#include <ev.h>

#include "lib/base/log.h"
#include "lib/core/hub-loop.h"
#include "lib/core/hub.h"

/* hub.h: who is ready is on the ring, once. What else says READY is counted by the list of all. */
static void verify_ring(const struct gev__hub *h)
{
	uint32_t n = gev__ready_n(h);
	gev__must(n <= h->ready_mask + 1);
	gev__must(h->live <= h->ready_mask);
	for (uint32_t i = 0; i < n; i++) {
		const struct gev_greenlet *g = h->ready[(h->ready_head + i) & h->ready_mask];
		gev__must(g->hub == h && g != &h->self);
		gev__must(g->state == GEV__READY);
	}
}

/* timers.h */
static void verify_timers(const struct gev__hub *h)
{
	const struct gev__timers *t = &h->timers;
	for (uint32_t i = 1; i <= t->n; i++) {
		gev__must(t->at[i].g->timer_at == i && t->at[i].g->hub == h);
		gev__must(i == 1 || t->at[(i - 2) / 4 + 1].deadline <= t->at[i].deadline);
	}
}

static void verify_all(const struct gev__hub *h)
{
	size_t live = h->main.state != GEV__DONE, ready = h->main.state == GEV__READY;
	struct gev_greenlet *const *link = &h->all;
	for (const struct gev_greenlet *g = h->all; g; g = g->all_next) {
		gev__must(g->all_link == link && g->hub == h);
		gev__must(g->state != GEV__RUNNING); /* the hub's own flow is */
		gev__must(!g->buried || g->state == GEV__DONE);
		live += g->state != GEV__DONE;
		ready += g->state == GEV__READY;
		link = &g->all_next;
	}
	gev__must(live == h->live);
	gev__must(ready == gev__ready_n(h));
}

void gev__hub_verify(const struct gev__hub *h)
{
	gev__must(h->self.state == GEV__RUNNING);
	verify_ring(h);
	verify_timers(h);
	verify_all(h);
	if (h->loop)
		ev_verify(gev__loop_ev(h->loop)); /* aborts */
}
