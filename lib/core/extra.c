/* The rare things of a greenlet, and how its end goes through them. */
#include "lib/core/extra.h"

#include <stdlib.h>

#include "lib/base/macros.h"
#include "lib/core/defer.h"
#include "lib/core/greenlet.h"
#include "lib/core/kill.h"
#include "lib/core/timeout.h"

struct gev__extra *gev__extra(struct gev_greenlet *g)
{
	if (likely(g->extra != NULL))
		return g->extra;
	g->hub->busy++;
	struct gev__extra *x = calloc(1, sizeof *x);
	g->hub->busy--;
	if (x)
		x->links_last = &x->links;
	g->extra = x;
	return x;
}

void gev__extra_free(struct gev_greenlet *g)
{
	struct gev__extra *x = g->extra;
	gev__links_free(x);
	gev__defers_free(x);
	free(x->locals);
	free(x);
	g->extra = NULL;
}

void gev__extra_done(struct gev_greenlet *g)
{
	if (g->extra->links == NULL)
		gev__extra_free(g);
}

void gev__last_words(struct gev_greenlet *g)
{
	gev__timeouts_forget(g);
	gev__shield_begin(g);
	gev__defers_run(g);
	gev__locals_end(g);
}
