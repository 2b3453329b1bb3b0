/* park.h: the one way to wait, and the one way to be woken. Everything that blocks goes through here. */
#ifndef GEV_CORE_PARK_H
#define GEV_CORE_PARK_H

#include <stdbool.h>
#include <stdint.h>

#include "gev/embed.h"
#include "lib/base/macros.h"
#include "lib/core/greenlet.h"
#include "lib/core/hub.h"

static inline uint8_t gev__marks(const struct gev_greenlet *g)
{
	return __atomic_load_n(&g->marks, __ATOMIC_RELAXED);
}

/* The calling greenlet, of a hub that is made if there is none. NULL and *error: -ENOMEM; -EPERM, the hub's own flow. */
static inline struct gev_greenlet *gev__self_get(int *error)
{
	const struct gev__hub *h = gev__hub_get(error);
	struct gev_greenlet *g = h ? gev__self() : NULL;
	if (g == NULL || g != &h->self)
		return g;
	*error = -EPERM;
	return NULL;
}

int gev__kill_point_marked(void);

/* What every blocking call of the public API begins with, so that a killed greenlet learns of it even where it would not have had to wait:
 * -ECANCELED; or -ETIMEDOUT, where a gev_timeout around it has passed. On an OS thread without a hub (NULL): 0. */
static inline int gev__kill_point_of(const struct gev_greenlet *g)
{
	return unlikely(g && gev__marks(g) & GEV__MARK_LOOK) ? gev__kill_point_marked() : 0;
}

static inline int gev__kill_point(void)
{
	return gev__kill_point_of(gev__self());
}

/* As gev_embed.park says. -EPERM: the hub itself must not wait. */
int gev__park(int64_t deadline, unsigned flags);
/* The same, for a caller who knows who he is. */
int gev__park_as(struct gev_greenlet *self, int64_t deadline, unsigned flags);
/* As gev_embed.wake says. */
void gev__wake(struct gev_greenlet *g);
/* The same as wake, where g is known to belong to the caller's hub. */
void gev__wake_here(struct gev_greenlet *g);
/* Nothing where no hub is. */
void gev__yield(void);
/* Parks until the deadline, whatever wakes it before. 0, -ECANCELED, -EINTR, or -ETIMEDOUT: a gev_timeout around it has fired. */
int gev__sleep_until(int64_t deadline, unsigned flags);

#endif
