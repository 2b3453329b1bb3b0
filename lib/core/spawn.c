/* Making greenlets: the public calls of gev/greenlet.h. */
#include <gev/greenlet.h>
#include <gev/version.h>

#include <errno.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/result.h"
#include "lib/core/handle.h"
#include "lib/core/hub.h"
#include "lib/core/kill.h"
#include "lib/core/park.h"

bool gev__spawn_identity;

/* With attributes, or with what they do not say: `how`. */
static int spawn_as(const struct gev_spawn_attr *attr, struct gev__spawn how, void *(*fn)(void *), void *arg,
		    struct gev_greenlet **out)
{
	static const struct gev_spawn_attr defaults;
	if (attr == NULL)
		attr = &defaults;
	if (fn == NULL || attr->identity < GEV_IDENTITY_DEFAULT || attr->identity > GEV_IDENTITY_OWN)
		return -EINVAL;
	int error = 0;
	struct gev__hub *h = gev__hub_get(&error);
	if (h == NULL)
		return error;
	how.name = attr->name;
	how.stack_size = attr->stack_size ? attr->stack_size : h->stack_size;
	how.own_identity =
		attr->identity == GEV_IDENTITY_OWN || (attr->identity == GEV_IDENTITY_DEFAULT && gev__spawn_identity);
	how.suspended |= attr->suspended;
	if (how.copy_size > how.stack_size / 2)
		return -EINVAL;
	if (how.own_identity && gev__identity_missing())
		return -ENOSYS;
	return gev__greenlet_new(h, &how, fn, arg, out);
}

static bool is_plain(const struct gev_spawn_attr *attr)
{
	if (attr == NULL)
		return !gev__spawn_identity;
	return attr->name == NULL && !attr->suspended &&
	       (attr->identity == GEV_IDENTITY_SHARED ||
		(attr->identity == GEV_IDENTITY_DEFAULT && !gev__spawn_identity));
}

static struct gev_greenlet *result(int r, struct gev_greenlet *const *g)
{
	return gev__result(r) < 0 ? NULL : *g;
}

static __attribute__((noinline)) struct gev_greenlet *spawn_with(const struct gev_spawn_attr *attr, uint32_t refs,
								 void *(*fn)(void *), void *arg)
{
	struct gev_greenlet *g = NULL;
	return result(spawn_as(attr, (struct gev__spawn){.refs = refs}, fn, arg, &g), &g);
}

static inline struct gev_greenlet *spawn(const struct gev_spawn_attr *attr, uint32_t refs, void *(*fn)(void *),
					 void *arg)
{
	struct gev__hub *h = gev__hub_here();
	if (unlikely(h == NULL || fn == NULL || !is_plain(attr)))
		return spawn_with(attr, refs, fn, arg);
	size_t size = attr && attr->stack_size ? attr->stack_size : h->stack_size;
	struct gev_greenlet *g = gev__greenlet_new_plain(h, refs, size, fn, arg);
	if (unlikely(g == NULL))
		gev__result(-EAGAIN);
	return g;
}

struct gev_greenlet *gev_spawn_with(const struct gev_spawn_attr *attr, void *(*fn)(void *), void *arg)
{
	return spawn(attr, 1, fn, arg);
}

struct gev_greenlet *gev_spawn(void *(*fn)(void *), void *arg)
{
	return spawn(NULL, 1, fn, arg);
}

struct gev_greenlet *gev_spawn_copy(const struct gev_spawn_attr *attr, void *(*fn)(void *), const void *data,
				    size_t size)
{
	struct gev_greenlet *g = NULL;
	return result(spawn_as(attr, (struct gev__spawn){.refs = 1, .copy = data, .copy_size = size}, fn, NULL, &g),
		      &g);
}

int gev_spawn_detached(const struct gev_spawn_attr *attr, void *(*fn)(void *), void *arg)
{
	if (attr && attr->suspended)
		return (int)gev__result(-EINVAL);
	return spawn(attr, 0, fn, arg) ? 0 : -1;
}

static int spawn_later(const struct gev_spawn_attr *attr, double seconds, void *(*fn)(void *), void *arg,
		       struct gev_greenlet **out)
{
	int64_t deadline;
	int r = gev__deadline(seconds, &deadline);
	if (attr && attr->suspended)
		r = -EINVAL;
	if (r == 0)
		r = spawn_as(attr, (struct gev__spawn){.refs = 1, .suspended = deadline > 0}, fn, arg, out);
	if (r < 0 || deadline == 0 || deadline == NEVER)
		return r;
	/* A sleeper that has not begun: its timer, or a kill, makes it ready for the first time. */
	struct gev_greenlet *g = *out;
	gev__must(g != NULL);
	gev__set_state(g, GEV__PARKED);
	gev__timers_add(&g->hub->timers, g, deadline);
	return 0;
}

struct gev_greenlet *gev_spawn_later(const struct gev_spawn_attr *attr, double seconds, void *(*fn)(void *), void *arg)
{
	struct gev_greenlet *g = NULL;
	return result(spawn_later(attr, seconds, fn, arg, &g), &g);
}

int gev_start(struct gev_greenlet *g)
{
	if (!gev__is_here(g))
		return (int)gev__result(-EPERM);
	gev__greenlet_start(g);
	return 0;
}

struct gev_greenlet *gev_ref(struct gev_greenlet *g)
{
	gev__handle_ref(g);
	return g;
}

void gev_release(struct gev_greenlet *g)
{
	if (g)
		gev__handle_release(g);
}

bool gev_is_done(const struct gev_greenlet *g)
{
	return gev__is_done(g) || gev__handle_is_lost(g);
}

int gev_error(const struct gev_greenlet *g)
{
	if (!gev__is_done(g))
		return gev__handle_is_lost(g) ? ESRCH : 0;
	return g->lost ? ESRCH : g->failed ? (int)(intptr_t)g->value : 0;
}

void gev_yield(void)
{
	gev__yield();
}

struct gev_greenlet *gev_self(void)
{
	struct gev_greenlet *g = gev__self();
	return g && g != &g->hub->self ? g : NULL;
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
