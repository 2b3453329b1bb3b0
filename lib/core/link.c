/* Links: what the hub calls when a greenlet has ended. */
#include <gev/link.h>

#include <errno.h>
#include <stdlib.h>

#include "lib/base/macros.h"
#include "lib/base/result.h"
#include "lib/core/extra.h"
#include "lib/core/handle.h"
#include "lib/core/hub.h"

struct gev__link {
	struct gev__link *next;
	void (*fn)(struct gev_greenlet *g, void *arg);
	void *arg;
};

static struct gev__link *take_first(struct gev__extra *x)
{
	struct gev__link *l = x->links;
	x->links = l->next;
	if (x->links == NULL)
		x->links_last = &x->links;
	return l;
}

/* The hub's own flow. The greenlet is held meanwhile, and each link is off the list before it runs, so that it may link and unlink. */
static void run_links(struct gev__call *call)
{
	struct gev__extra *x = container_of(call, struct gev__extra, links_call);
	struct gev_greenlet *g = x->links_of;
	size_t n = 0;
	for (const struct gev__link *l = x->links; l; l = l->next)
		n++;
	for (; n && x->links; n--) {
		struct gev__link *l = take_first(x);
		void (*fn)(struct gev_greenlet *, void *) = l->fn;
		void *arg = l->arg;
		free(l);
		fn(g, arg);
	}
	if (x->links) { /* new ones: after the others' turn */
		gev__hub_call(g->hub, call);
		return;
	}
	x->links_of = NULL;
	if (g->buried)
		gev__extra_done(g);
	gev__handle_drop(g);
}

void gev__links_due(struct gev_greenlet *g)
{
	struct gev__extra *x = g->extra;
	if (x->links == NULL || x->links_of)
		return;
	gev__handle_ref(g);
	x->links_of = g;
	x->links_call.fn = run_links;
	gev__hub_call(g->hub, &x->links_call);
}

void gev__links_forget(struct gev_greenlet *g)
{
	if (g->extra == NULL || g->extra->links_of == NULL)
		return;
	g->extra->links_of = NULL;
	__atomic_sub_fetch(&g->refs, 1, __ATOMIC_RELAXED);
}

void gev__links_free(struct gev__extra *x)
{
	while (x->links)
		free(take_first(x));
}

static int check(const struct gev_greenlet *g, void (*fn)(struct gev_greenlet *, void *))
{
	if (fn == NULL)
		return -EINVAL;
	if (!gev__is_here(g) || g == &g->hub->main)
		return -EPERM;
	return 0;
}

static int do_link(struct gev_greenlet *g, void (*fn)(struct gev_greenlet *, void *), void *arg)
{
	int r = check(g, fn);
	if (r < 0)
		return r;
	if (g->lost)
		return -ESRCH;
	struct gev__extra *x = gev__extra(g);
	g->hub->busy++;
	struct gev__link *l = x ? malloc(sizeof *l) : NULL;
	g->hub->busy--;
	if (l == NULL)
		return -ENOMEM;
	*l = (struct gev__link){.fn = fn, .arg = arg};
	*x->links_last = l;
	x->links_last = &l->next;
	if (gev__is_done(g))
		gev__links_due(g);
	return 0;
}

int gev_link(struct gev_greenlet *g, void (*fn)(struct gev_greenlet *g, void *arg), void *arg)
{
	return (int)gev__result(do_link(g, fn, arg));
}

static int undo_link(struct gev_greenlet *g, void (*fn)(struct gev_greenlet *, void *), const void *arg)
{
	int r = check(g, fn);
	if (r < 0)
		return r;
	struct gev__extra *x = g->extra;
	for (struct gev__link **at = x ? &x->links : NULL; at && *at; at = &(*at)->next) {
		struct gev__link *l = *at;
		if (l->fn != fn || l->arg != arg)
			continue;
		*at = l->next;
		if (x->links_last == &l->next)
			x->links_last = at;
		free(l);
		return 0;
	}
	return -ENOENT;
}

int gev_unlink(struct gev_greenlet *g, void (*fn)(struct gev_greenlet *g, void *arg), void *arg)
{
	return (int)gev__result(undo_link(g, fn, arg));
}
