/* kill.h: what ends a greenlet's waits from outside: the marks of kill and interruption, and the shield that holds a kill off.
 *
 * One byte, gev_greenlet.marks, changed by atomic operations because a kill may come from any thread. KILLED is what waits obey; while
 * SHIELDED a kill is kept as KILL_WAITS. Invariant: KILLED excludes SHIELDED and KILL_WAITS; SHIELDED == (shields > 0). */
#ifndef GEV_CORE_KILL_H
#define GEV_CORE_KILL_H

#include <stdbool.h>

struct gev_greenlet;

/* As gev_embed.kill says. One that has not begun to run never will, if it is on the caller's hub or the mark stays until it would. */
void gev__kill(struct gev_greenlet *g, bool killed);
/* As gev_embed.interrupt says. */
bool gev__interrupt(struct gev_greenlet *g, bool interrupted);
/* Whether a gev_timeout counts for the running greenlet. */
void gev__mark_timed(struct gev_greenlet *g, bool timed);
/* Whether it has been killed, shielded or not. */
bool gev__is_killed(const struct gev_greenlet *g);
/* For the caller's own greenlet. They nest. */
void gev__shield_begin(struct gev_greenlet *g);
void gev__shield_end(struct gev_greenlet *g);

#endif
