/* park.h: the one way to wait, and the one way to be woken. Everything that blocks goes through here. */
#ifndef GEV_CORE_PARK_H
#define GEV_CORE_PARK_H

#include <stdint.h>

#include "gev/embed.h"
#include "lib/core/greenlet.h"

/* As gev_embed.park says. Greenlets only. */
int gev__park(int64_t deadline, unsigned flags);
/* As gev_embed.wake says. */
void gev__wake(struct gev_greenlet *g);
/* As gev_embed.kill says. */
void gev__kill(struct gev_greenlet *g, bool killed);
/* As gev_embed.interrupt says. */
void gev__interrupt(struct gev_greenlet *g, bool interrupted);
/* The same as wake, where g is known to belong to the caller's hub. */
void gev__wake_here(struct gev_greenlet *g);
void gev__yield(void);
/* Parks until the deadline, whatever wakes it before. 0, -ECANCELED or -EINTR. */
int gev__sleep_until(int64_t deadline, unsigned flags);

#endif
