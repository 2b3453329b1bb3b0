/* gev/kill.h: ending greenlets from outside, by the errors that their blocking calls return.
 *
 * A kill is a mark. From then on every blocking call of the greenlet, the one that it is in first of all, returns -1 and ECANCELED, now and later, so
 * that it finds its way out through the error paths that it has anyway; a loop that ignores errors still lets the others run. What must not be
 * broken off goes between gev_shield_begin and gev_shield_end, or into gev_defer (gev/end.h). Locking a mutex is never broken off. */
#ifndef GEV_KILL_H
#define GEV_KILL_H

#include <stdbool.h>
#include <stddef.h>

#include <gev/base.h>

GEV_BEGIN

struct gev_greenlet;

/* Kills g: does not block, and does not wait for its end; gev_join does. One that has not begun never does: it ends with the error ECANCELED, its
 * links run. One that has ended: nothing. The caller may kill itself: its next blocking call says so. Any thread, with a handle of g
 * (or gev_self()). Source: gevent.Greenlet.kill. */
GEV_API void gev_kill(struct gev_greenlet *g);

/* Kills all n before any of them runs again, and waits for their ends, at most `timeout` seconds; zero: only kills.
 * 0: all have ended. -1 and ETIMEDOUT: not yet, but all are killed; and the other errors of gev_joinall, after the killing. Blocks the greenlet.
 * Source: gevent.killall. */
GEV_API int gev_killall(struct gev_greenlet *const *gs, size_t n, double timeout);

/* Whether the caller has been killed, shielded or not: for one who computes and does not block. */
GEV_API bool gev_is_killed(void);

/* Between these two the caller cannot be killed, and no gev_timeout begun outside ends its waits; a kill that comes is kept, and holds from the last end on.
 * They nest. Neither blocks nor fails. */
GEV_API void gev_shield_begin(void);
GEV_API void gev_shield_end(void);

GEV_END

#endif
