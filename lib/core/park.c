/* Park and wake.
 *
 * Between threads: a waker never touches the state of another hub's greenlet. It puts it into that hub's inbox, and the hub wakes it when it
 * looks. A wake that finds its greenlet not parked leaves a token, which the next park takes instead of waiting; so wakes are never lost, and
 * every waiter loops on its own condition. */
#include "lib/core/park.h"

#include <errno.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/macros.h"
#include "lib/base/probe.h"
#include "lib/core/hub.h"

/* Why a wait with these flags must end now, or 0. */
static inline int marked(const struct gev_greenlet *g, unsigned flags)
{
	unsigned marks = __atomic_load_n(&g->marks, __ATOMIC_RELAXED) & flags;
	if (likely(marks == 0))
		return 0;
	return marks & GEV_PARK_KILLABLE ? -ECANCELED : -EINTR;
}

int gev__park(int64_t deadline, unsigned flags)
{
	struct gev_greenlet *g = gev__self();
	struct gev__hub *h = g->hub;
	gev__must(g != &h->self);
	if (g->token) {
		g->token = false;
		return 0;
	}
	int why = marked(g, flags);
	if (unlikely(why))
		return why;
	if (deadline <= 0)
		return -ETIMEDOUT;
	if (deadline != NEVER && gev__timers_add(&h->timers, g, deadline) < 0)
		gev__die("no memory for a timer");
	g->state = GEV__PARKED;
	g->why = 0;
	gev__probe(park, g);
	gev__hub_switch(h, g);
	if (g->timer_at)
		gev__timers_remove(&h->timers, g);
	why = marked(g, flags);
	return unlikely(why) ? why : g->why;
}

void gev__wake_here(struct gev_greenlet *g)
{
	if (likely(g->state == GEV__PARKED)) {
		gev__probe(wake, g);
		gev__ready_push(g->hub, g);
		g->why = 0;
	} else if (g->state == GEV__READY && g->why == -ETIMEDOUT) {
		g->why = 0; /* it came in time after all: it has not run yet */
	} else if (g->state != GEV__DONE) {
		g->token = true;
	}
}

void gev__wake(struct gev_greenlet *g)
{
	if (likely(gev__hub_here() == g->hub))
		gev__wake_here(g);
	else
		gev__hub_post(g->hub, g);
}

static void mark(struct gev_greenlet *g, uint8_t bit, bool set)
{
	if (!set) {
		__atomic_fetch_and(&g->marks, (uint8_t)~bit, __ATOMIC_SEQ_CST);
		return;
	}
	__atomic_fetch_or(&g->marks, bit, __ATOMIC_SEQ_CST);
	gev__wake(g); /* if it does not park just now, the next wait it begins sees the mark */
}

void gev__kill(struct gev_greenlet *g, bool killed)
{
	mark(g, GEV_PARK_KILLABLE, killed);
}

void gev__interrupt(struct gev_greenlet *g, bool interrupted)
{
	mark(g, GEV_PARK_INTERRUPTIBLE, interrupted);
}

void gev__yield(void)
{
	struct gev_greenlet *g = gev__self();
	struct gev__hub *h = g->hub;
	gev__must(g != &h->self);
	gev__ready_push(h, g);
	g->why = 0;
	gev__hub_switch(h, g);
}

int gev__sleep_until(int64_t deadline, unsigned flags)
{
	for (;;) {
		int r = gev__park(deadline, flags);
		if (r == -ETIMEDOUT)
			return 0;
		if (r == -ECANCELED || r == -EINTR)
			return r;
	}
}
