/* Park and wake.
 *
 * Between threads: a waker never touches the state of another hub's greenlet. It puts it into that hub's inbox, and the hub wakes it when it
 * looks. A wake that finds its greenlet not parked leaves a token, which the next park takes instead of waiting; so wakes are never lost, and
 * every waiter loops on its own condition. */
#include "lib/core/park.h"

#include <errno.h>

#include "lib/base/clock.h"
#include "lib/base/macros.h"
#include "lib/base/probe.h"
#include "lib/core/hub.h"
#include "lib/core/park-inline.h"
#include "lib/core/timeout.h"

/* Errors that come at once must not keep the others from running: a loop that ignores them yields by the same budget as one that switches. */
static int fail_now(struct gev__hub *h, int error)
{
	if (--h->countdown <= 0)
		gev__yield();
	return error;
}

/* Something is marked that these flags ask for. Why the wait must end now, or 0. */
static int marked(const struct gev_greenlet *g, unsigned flags)
{
	unsigned marks = gev__marks(g);
	if (marks & GEV__MARK_KILLED && flags & GEV_PARK_KILLABLE)
		return -ECANCELED;
	return marks & flags & GEV__MARK_INTERRUPTED ? -EINTR : 0;
}

static bool is_timed(const struct gev_greenlet *g, unsigned flags)
{
	return gev__marks(g) & GEV__MARK_TIMED && flags & GEV_PARK_KILLABLE;
}

/* The same before a wait, whose deadline may become an earlier one. */
int gev__park_marked_before(struct gev_greenlet *g, unsigned flags, int64_t *deadline)
{
	int why = marked(g, flags);
	if (why == 0 && is_timed(g, flags))
		why = gev__timeout_clip(g, deadline);
	return why ? fail_now(g->hub, why) : 0;
}

/* And after it. */
int gev__park_marked_after(struct gev_greenlet *g, unsigned flags)
{
	int why = marked(g, flags);
	if (why)
		return why;
	if (g->why == -ETIMEDOUT && is_timed(g, flags))
		gev__timeout_passed(g);
	return g->why;
}

int gev__kill_point_marked(void)
{
	struct gev_greenlet *g = gev__self();
	int why = marked(g, GEV_PARK_KILLABLE);
	if (why == 0 && is_timed(g, GEV_PARK_KILLABLE))
		why = gev__timeout_check(g);
	return why ? fail_now(g->hub, why) : 0;
}

int gev__park(int64_t deadline, unsigned flags)
{
	return gev__park_as(gev__self(), deadline, flags);
}

int gev__park_as(struct gev_greenlet *g, int64_t deadline, unsigned flags)
{
	return gev__park_inline(g, deadline, flags);
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

void gev__yield(void)
{
	struct gev_greenlet *g = gev__self();
	if (unlikely(g == NULL))
		return;
	struct gev__hub *h = g->hub;
	if (unlikely(g == &h->self))
		return;
	gev__ready_push(h, g);
	g->why = 0;
	gev__switch(h, g);
}

int gev__sleep_until(int64_t deadline, unsigned flags)
{
	for (;;) {
		int r = gev__park(deadline, flags);
		if (r == -ETIMEDOUT)
			return gev__timeout_was_it(gev__self(), flags) ? r : 0;
		if (r < 0)
			return r;
	}
}
