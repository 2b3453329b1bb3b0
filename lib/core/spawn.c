/* The public face of greenlets: gev/greenlet.h. */
#include <gev/greenlet.h>
#include <gev/version.h>

#include <errno.h>

#include "lib/base/clock.h"
#include "lib/base/options.h"
#include "lib/base/result.h"
#include "lib/core/hub.h"
#include "lib/core/lot.h"
#include "lib/core/park.h"

bool gev__spawn_identity;

static int spawn(const struct gev_spawn_attr *attr, void *(*fn)(void *), void *arg, struct gev_greenlet **out)
{
	if (fn == NULL || attr->identity < GEV_IDENTITY_DEFAULT || attr->identity > GEV_IDENTITY_OWN)
		return -EINVAL;
	int error = 0;
	struct gev__hub *h = gev__hub_get(&error);
	if (h == NULL)
		return error;
	struct gev__spawn how = {
		.name = attr->name,
		.stack_size = attr->stack_size ? attr->stack_size : (size_t)gev__options()->stack_size,
		.own_identity = attr->identity == GEV_IDENTITY_OWN ||
				(attr->identity == GEV_IDENTITY_DEFAULT && gev__spawn_identity),
		.held = true,
	};
	if (how.own_identity && gev__identity_missing())
		return -ENOSYS;
	return gev__greenlet_new(h, &how, fn, arg, out);
}

struct gev_greenlet *gev_spawn_with(const struct gev_spawn_attr *attr, void *(*fn)(void *), void *arg)
{
	struct gev_greenlet *g = NULL;
	return gev__result(spawn(attr, fn, arg, &g)) < 0 ? NULL : g;
}

struct gev_greenlet *gev_spawn(void *(*fn)(void *), void *arg)
{
	static const struct gev_spawn_attr defaults;
	return gev_spawn_with(&defaults, fn, arg);
}

static bool not_done(void *arg)
{
	return !gev__is_done(arg);
}

static int join(struct gev_greenlet *g, double timeout, void **value)
{
	int64_t deadline;
	int r = gev__deadline(timeout, &deadline);
	if (r < 0)
		return r;
	if (g == gev__self())
		return -EDEADLK;
	if (g->hub != gev__hub_here())
		return -EPERM;
	while (!gev__is_done(g)) {
		r = gev__lot_wait(g, not_done, NULL, g, deadline, GEV_PARK_KILLABLE | GEV_ON_GREENLET, NULL);
		if (r < 0 && r != -EAGAIN)
			return r;
	}
	if (value)
		*value = g->value;
	gev__greenlet_unhold(g);
	return 0;
}

int gev_join(struct gev_greenlet *g, double timeout, void **value)
{
	return (int)gev__result(join(g, timeout, value));
}

void gev_release(struct gev_greenlet *g)
{
	if (g)
		gev__greenlet_unhold(g);
}

bool gev_is_done(const struct gev_greenlet *g)
{
	return gev__is_done(g);
}

void gev_yield(void)
{
	if (gev__self())
		gev__yield();
}

struct gev_greenlet *gev_self(void)
{
	return gev__self();
}

const char *gev_name(const struct gev_greenlet *g)
{
	return g->name;
}

const char *gev_version(void)
{
	return GEV_VERSION;
}

const char *gev_context_backend(void)
{
	return gev__context_backend();
}
