/* Timeouts: gev/timeout.h. */
#include "lib/core/timeout.h"

#include <gev/timeout.h>

#include <errno.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/result.h"
#include "lib/core/extra.h"
#include "lib/core/hub.h"
#include "lib/core/kill.h"
#include "lib/core/park.h"

/* Of those that end at the same moment the outermost counts: with it, the inner ones are over too. */
void gev__timeouts_reconsider(struct gev_greenlet *g)
{
	struct gev__extra *x = g->extra;
	if (x == NULL)
		return;
	struct gev_timeout *due = NULL;
	for (struct gev_timeout *t = x->timeouts; t; t = t->outer) {
		/* The shield that it was begun in is over: for the next one it is one from outside. */
		if (t->shields > g->shields)
			t->shields = g->shields;
		if (t->shields == g->shields && t->deadline != NEVER && (due == NULL || t->deadline <= due->deadline))
			due = t;
	}
	x->due = due;
	gev__mark_timed(g, due != NULL);
}

void gev__timeouts_forget(struct gev_greenlet *g)
{
	if (g->extra && g->extra->timeouts) {
		g->extra->timeouts = NULL;
		gev__timeouts_reconsider(g);
	}
}

/* ---- What park asks ---- */

int gev__timeout_clip(struct gev_greenlet *g, int64_t *deadline)
{
	struct gev__extra *x = g->extra;
	x->by_timeout = x->due->fired || x->due->deadline < *deadline;
	if (!x->by_timeout)
		return 0;
	*deadline = x->due->deadline;
	if (x->due->deadline == 0)
		x->due->fired = true;
	return x->due->fired ? -ETIMEDOUT : 0;
}

void gev__timeout_passed(struct gev_greenlet *g)
{
	if (g->extra->by_timeout)
		g->extra->due->fired = true;
}

int gev__timeout_check(struct gev_greenlet *g)
{
	struct gev_timeout *due = g->extra->due;
	if (!due->fired && due->deadline > gev__now())
		return 0;
	g->extra->by_timeout = true;
	due->fired = true;
	return -ETIMEDOUT;
}

bool gev__timeout_was_it(const struct gev_greenlet *g, unsigned flags)
{
	return flags & GEV_PARK_KILLABLE && gev__marks(g) & GEV__MARK_TIMED && g->extra->by_timeout;
}

/* ---- The public face ---- */

static int begin(struct gev_timeout *t, double seconds)
{
	*t = (struct gev_timeout){0};
	int64_t deadline;
	int r = gev__deadline(seconds, &deadline);
	if (r < 0)
		return r;
	struct gev_greenlet *g = gev__self_get(&r);
	if (g == NULL)
		return r;
	struct gev__extra *x = gev__extra(g);
	if (x == NULL)
		return -ENOMEM;
	*t = (struct gev_timeout){.outer = x->timeouts, .deadline = deadline, .owner = g, .shields = g->shields};
	x->timeouts = t;
	gev__timeouts_reconsider(g);
	return 0;
}

int gev_timeout_begin(struct gev_timeout *t, double seconds)
{
	return (int)gev__result(begin(t, seconds));
}

bool gev_timeout_end(struct gev_timeout *t)
{
	struct gev_greenlet *g = t->owner;
	if (g == NULL)
		return t->fired;
	gev__must(g == gev__self());
	struct gev_timeout **at = &g->extra->timeouts;
	while (*at && *at != t)
		at = &(*at)->outer;
	if (*at)
		*at = t->outer;
	t->owner = NULL;
	gev__timeouts_reconsider(g);
	return t->fired;
}

bool gev_timeout_fired(const struct gev_timeout *t)
{
	return t->fired;
}
