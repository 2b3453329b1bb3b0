/* gev/link.h: functions that are called when a greenlet has ended. */
#ifndef GEV_LINK_H
#define GEV_LINK_H

#include <gev/base.h>

GEV_BEGIN

struct gev_greenlet;

/* fn(g, arg) will be called once, soon after g has ended; soon also if it has ended already, but never before gev_link returns. Several are called in the order in
 * which they were linked. The hub calls, on the OS thread of g; so fn must be short, and calls that would block return EPERM there. It may spawn, wake,
 * kill, link and unlink; it asks gev_join (which does not wait then) and gev_error how g ended. g is valid in it, also if nobody has a handle any more.
 * Does not block. 0; -1 and ENOMEM; EINVAL: fn is NULL; EPERM: g is of another OS thread's hub, or no spawned greenlet; ESRCH: g will never
 * end (gev_join). Source: gevent.Greenlet.rawlink. */
GEV_API int gev_link(struct gev_greenlet *g, void (*fn)(struct gev_greenlet *g, void *arg), void *arg);

/* Takes the first link with that fn and arg off again: it will not be called. Does not block. 0; -1 and ENOENT: there is none, or it has been called; EINVAL and
 * EPERM as above. Source: gevent.Greenlet.unlink. */
GEV_API int gev_unlink(struct gev_greenlet *g, void (*fn)(struct gev_greenlet *g, void *arg), void *arg);

GEV_END

#endif
