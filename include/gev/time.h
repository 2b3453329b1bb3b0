/* gev/time.h: sleeping. */
#ifndef GEV_TIME_H
#define GEV_TIME_H

#include <gev/base.h>

GEV_BEGIN

/* Sleeps for `seconds`, with the precision of the kernel's own sleeps; zero or less yields once.
 * Blocks the greenlet. 0; -1 and EINVAL (NaN); ENOMEM: no hub could be made; ECANCELED: the caller was killed; ETIMEDOUT: a gev_timeout has passed; EDEADLK: see gev/gev.h; EPERM: called by a link. GEV_FOREVER
 * returns only with an error. Source: gevent.sleep. */
GEV_API int gev_sleep(double seconds);

/* CLOCK_MONOTONIC in seconds, for measuring. Does not block; any thread. */
GEV_API double gev_now(void);

GEV_END

#endif
