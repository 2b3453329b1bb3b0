/* timeout.h: deadlines for stretches of code. A wait that a kill may end is also ended by the earliest timeout around it: park clips its deadline.
 * So no timeout needs a place in the heap, and a greenlet without one pays nothing. */
#ifndef GEV_CORE_TIMEOUT_H
#define GEV_CORE_TIMEOUT_H

#include <stdbool.h>
#include <stdint.h>

struct gev_greenlet;

/* The running greenlet, which has GEV__MARK_TIMED, is about to wait until *deadline, or earlier. -ETIMEDOUT: one has passed already. */
int gev__timeout_clip(struct gev_greenlet *g, int64_t *deadline);
/* The deadline of that wait has passed. */
void gev__timeout_passed(struct gev_greenlet *g);
/* Without waiting: whether one has passed by now. 0 or -ETIMEDOUT. */
int gev__timeout_check(struct gev_greenlet *g);
/* Whether it was a timeout, and not its own deadline, that ended g's last wait, one with these flags, with -ETIMEDOUT. */
bool gev__timeout_was_it(const struct gev_greenlet *g, unsigned flags);

/* The shield has changed: other timeouts count. */
void gev__timeouts_reconsider(struct gev_greenlet *g);
/* The code around which they stood is over. */
void gev__timeouts_forget(struct gev_greenlet *g);

#endif
