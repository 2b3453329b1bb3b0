/* gev/timeout.h: one deadline for a stretch of code, whatever it calls.
 *
 *     struct gev_timeout t;
 *     gev_timeout_begin(&t, 2.5);
 *     int r = handshake(fd);              (many calls, some with timeouts of their own)
 *     if (gev_timeout_end(&t))
 *             r = -1;                     (the 2.5 seconds were over)
 *
 * When the time is over, the blocking call that the greenlet is in returns -1 and ETIMEDOUT, and so does every later one until the end of the stretch. They nest, and each is
 * told by its object: where an inner one ends and has not fired, the ETIMEDOUT was an outer one's, or the call's own timeout's. What a kill does not break off
 * (locking a mutex, a shielded stretch inside) no timeout does. Source: gevent.Timeout; unlike there, the error keeps coming until the end. */
#ifndef GEV_TIMEOUT_H
#define GEV_TIMEOUT_H

#include <stdbool.h>
#include <stdint.h>

#include <gev/base.h>

GEV_BEGIN

struct gev_greenlet;

/* The caller's, on his stack as a rule; it must stay where it is from begin to end. Its fields are the library's. */
struct gev_timeout {
	struct gev_timeout *outer;
	struct gev_greenlet *owner;
	int64_t deadline;
	unsigned shields;
	bool fired;
};

/* From now on `seconds` are left for what the calling greenlet does until gev_timeout_end(t). GEV_FOREVER: no limit. Zero or less: its first call that
 * would block returns ETIMEDOUT. Does not block. 0; -1 and EINVAL (NaN); ENOMEM; EPERM: called by a link; then t has no effect, and may be ended. */
GEV_API int gev_timeout_begin(struct gev_timeout *t, double seconds);

/* The end of the stretch, by the greenlet that began it; in any order. A second time does nothing. Returns whether it has fired. Does not block. At the
 * greenlet's end those that are left end by themselves. */
GEV_API bool gev_timeout_end(struct gev_timeout *t);

/* Whether it has made a blocking call return ETIMEDOUT, before its end or after. Does not block. */
GEV_API bool gev_timeout_fired(const struct gev_timeout *t);

GEV_END

#endif
