/* cycle.h: who waits for whom in a ring, and can never go on. */
#ifndef GEV_WATCH_CYCLE_H
#define GEV_WATCH_CYCLE_H

#include "lib/watch/picture.h"
#include "lib/watch/text.h"

/* Calls each for every ring: ids of its members in the order of waiting, the smallest first. A greenlet that waits for itself is a ring of one. */
void gev__cycles_each(const struct gev__picture *p, void (*each)(void *arg, const uint32_t *ids, size_t n), void *arg);

/* Two lines and more for every ring: "deadlock: 2 greenlets wait for one another", and who waits for what. */
void gev__cycles_text(struct gev__text *t, const struct gev__picture *p);

/* The first line of the above, of one ring. */
void gev__cycle_heading(struct gev__text *t, size_t n);

#endif
