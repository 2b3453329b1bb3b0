/* join.h: waiting for the end of a greenlet, from its own hub.
 *
 * Each who waits hangs an ending on the greenlet; its end takes it off and counts. From other threads one waits in the lot, under the greenlet's address. */
#ifndef GEV_CORE_JOIN_H
#define GEV_CORE_JOIN_H

#include <stddef.h>

struct gev_greenlet;

/* Who waits, for how many ends yet. */
struct gev__gather {
	struct gev_greenlet *waiter;
	size_t left;
};

/* On the waiter's stack. Invariant: *link == this while it hangs on a greenlet; link is NULL when it does not. */
struct gev__ending {
	struct gev__ending *next;
	struct gev__ending **link;
	struct gev__gather *gather;
};

/* The end has come: wakes those for whom it was the last, first come first served. */
void gev__ends_tell(struct gev__ending *last);

#endif
