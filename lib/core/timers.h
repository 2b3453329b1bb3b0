/* timers.h: a heap of greenlets by deadline. Four children a node: fewer levels, and the children share a cache line.
 * Invariants: a greenlet is on it once, so room for every live greenlet is room enough; at[g->timer_at].g == g for every greenlet on it;
 * at[0] is unused; at[parent(i)].deadline <= at[i].deadline. */
#ifndef GEV_CORE_TIMERS_H
#define GEV_CORE_TIMERS_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/clock.h"

struct gev_greenlet;

struct gev__timer {
	int64_t deadline;
	struct gev_greenlet *g;
};

struct gev__timers {
	struct gev__timer *at;
	uint32_t n; /* in use: at[1..n] */
	uint32_t room;
};

/* Room for n greenlets, so that adding one cannot fail. -ENOMEM. */
int gev__timers_reserve(struct gev__timers *t, uint32_t n);
/* Room has been reserved. */
void gev__timers_add(struct gev__timers *t, struct gev_greenlet *g, int64_t deadline);
void gev__timers_remove(struct gev__timers *t, struct gev_greenlet *g);
void gev__timers_done(struct gev__timers *t);

static inline int64_t gev__timers_first(const struct gev__timers *t)
{
	return t->n ? t->at[1].deadline : NEVER;
}

#endif
