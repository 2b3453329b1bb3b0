/* park-inline.h: the park, where its caller stands: for lib/core/park.c, and for the wait of which a request has one, lib/io/readiness.c's.
 *
 * Why: as switch.h says, each function between the switch and the program's own code is a return that the processor predicts wrongly. */
#ifndef GEV_CORE_PARK_INLINE_H
#define GEV_CORE_PARK_INLINE_H

#include <errno.h>

#include "lib/base/probe.h"
#include "lib/core/park.h"
#include "lib/core/switch.h"

/* Something is marked that the flags of the wait may ask for. Before it: why it must not begin, or 0, and its deadline may have become an earlier one.
 * After it: what it returns. */
int gev__park_marked_before(struct gev_greenlet *g, unsigned flags, int64_t *deadline);
int gev__park_marked_after(struct gev_greenlet *g, unsigned flags);

/* As gev__park_as. */
static inline __attribute__((always_inline)) int gev__park_inline(struct gev_greenlet *g, int64_t deadline,
								  unsigned flags)
{
	struct gev__hub *h = g->hub;
	if (unlikely(g == &h->self))
		return -EPERM;
	if (g->token) {
		g->token = false;
		return 0;
	}
	if (unlikely(gev__marks(g) & flags)) {
		int64_t earlier = deadline;
		int why = gev__park_marked_before(g, flags, &earlier);
		if (why)
			return why;
		deadline = earlier;
	}
	if (deadline <= 0)
		return -ETIMEDOUT;
	if (deadline != NEVER)
		gev__timers_add(&h->timers, g, deadline);
	gev__set_state(g, GEV__PARKED);
	g->waits = (uint8_t)flags;
	g->why = 0;
	gev__probe(park, g);
	gev__switch(h, g);
	/* From g alone, as in the switch. */
	if (unlikely(g->timer_at))
		gev__timers_remove(&g->hub->timers, g);
	return unlikely(gev__marks(g) & g->waits) ? gev__park_marked_after(g, g->waits) : g->why;
}

#endif
