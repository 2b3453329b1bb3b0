/* Handles: see handle.h. */
#include "lib/core/handle.h"

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#include "lib/base/lock.h"
#include "lib/base/log.h"
#include "lib/base/macros.h"
#include "lib/base/options.h"
#include "lib/core/extra.h"
#include "lib/core/kill.h"
#include "lib/core/lot.h"
#include "lib/core/park.h"

uint32_t gev__era;

/* Held by whoever works on another thread's greenlet, and by a hub that ends: so a hub that is found alive stays so. Never while a bucket of
 * the lot is locked. */
static struct gev__lock between;
/* The hub whose end holds it; atomic. */
static const struct gev__hub *ending;

/* The control blocks that outlive their hub, all in its slabs. */
struct gev__orphans {
	struct gev__blocks blocks;
	size_t n;
};

/* ---- On g's own thread ---- */

/* It is buried, and nobody has a handle. */
static void free_block(struct gev_greenlet *g)
{
	struct gev__hub *h = g->hub;
	/* Another thread's word may still be on its way, left before that thread let go of its handle. */
	while (__atomic_load_n(&g->in_inbox, __ATOMIC_ACQUIRE))
		gev__hub_drain(h);
	gev__greenlet_reclaim(g);
}

void gev__handle_drop(struct gev_greenlet *g)
{
	/* Who holds the only one is alone: nobody else can make another of it. */
	if (__atomic_load_n(&g->refs, __ATOMIC_ACQUIRE) == 1)
		__atomic_store_n(&g->refs, 0, __ATOMIC_RELAXED);
	else if (__atomic_sub_fetch(&g->refs, 1, __ATOMIC_ACQ_REL))
		return;
	if (g->buried)
		free_block(g);
	else if (g->state == GEV__NEW && !g->is_thread)
		gev__kill(g, true); /* nobody can start it any more */
}

void gev__handle_hear(struct gev_greenlet *g)
{
	if (unlikely(__atomic_load_n(&g->joined_afar, __ATOMIC_ACQUIRE)) && gev__is_done(g))
		gev__lot_wake(g, INT_MAX, 0);
	if (g->state == GEV__NEW && __atomic_load_n(&g->marks, __ATOMIC_RELAXED) & GEV__MARK_KILLED)
		gev__greenlet_start(g);
	else
		gev__wake_here(g);
	if (likely(!__atomic_load_n(&g->let_go, __ATOMIC_ACQUIRE)))
		return;
	/* We may have come for an earlier word, while whoever let go is still about to post his: not before he has done that may g be freed, and
	 * his post must not be taken for another handle. */
	__atomic_store_n(&g->let_go, false, __ATOMIC_RELAXED);
	if (__atomic_load_n(&ending, __ATOMIC_RELAXED) != g->hub) {
		gev__lock(&between);
		gev__unlock(&between);
	}
	gev__handle_drop(g);
}

/* ---- On any thread ---- */

void gev__handle_ref(struct gev_greenlet *g)
{
	__atomic_add_fetch(&g->refs, 1, __ATOMIC_RELAXED);
}

/* Locked. */
static bool without_hub(const struct gev_greenlet *g)
{
	const struct gev__hub *h = __atomic_load_n(&g->hub, __ATOMIC_RELAXED);
	return h == NULL || h->era != gev__era;
}

/* Locked; g has no hub. */
static void release_orphan(struct gev_greenlet *g)
{
	struct gev__orphans *family = g->family;
	if (__atomic_sub_fetch(&g->refs, 1, __ATOMIC_ACQ_REL) || __atomic_load_n(&g->hub, __ATOMIC_RELAXED))
		return; /* a hub that stayed behind at a fork keeps its memory */
	if (family && --family->n == 0) {
		gev__blocks_done(&family->blocks);
		free(family);
	}
}

void gev__handle_release(struct gev_greenlet *g)
{
	if (likely(gev__is_here(g))) {
		gev__handle_drop(g);
		return;
	}
	gev__lock(&between);
	if (without_hub(g)) {
		release_orphan(g);
	} else {
		uint32_t refs = __atomic_load_n(&g->refs, __ATOMIC_RELAXED);
		while (refs > 1 && !__atomic_compare_exchange_n(&g->refs, &refs, refs - 1, true, __ATOMIC_ACQ_REL,
								__ATOMIC_RELAXED))
			;
		if (refs == 1) {
			__atomic_store_n(&g->let_go, true, __ATOMIC_RELEASE);
			gev__hub_post(g->hub, g);
		}
	}
	gev__unlock(&between);
}

int gev__handle_post(struct gev_greenlet *g)
{
	gev__lock(&between);
	int r = without_hub(g) ? -ESRCH : 0;
	if (r == 0)
		gev__hub_post(g->hub, g);
	gev__unlock(&between);
	return r;
}

bool gev__handle_is_lost(const struct gev_greenlet *g)
{
	if (gev__is_done(g))
		return g->lost;
	if (likely(gev__is_here(g)))
		return false;
	gev__lock(&between);
	bool lost = gev__is_done(g) ? g->lost : without_hub(g);
	gev__unlock(&between);
	return lost;
}

/* ---- The end of a hub, and forks ---- */

void gev__handles_survive(struct gev__hub *h)
{
	gev__lock(&between);
	__atomic_store_n(&ending, h, __ATOMIC_RELAXED);
	/* What others have left word of is done now, while there is a hub. From here on they find none. */
	gev__hub_drain(h);
	struct gev__orphans *family = NULL;
	size_t n = 0;
	struct gev_greenlet *next;
	for (struct gev_greenlet *g = h->all; g; g = next) {
		next = g->all_next;
		gev__links_forget(g);
		if (__atomic_load_n(&g->refs, __ATOMIC_ACQUIRE) == 0 || g->is_thread) {
			gev__greenlet_reclaim(g);
			continue;
		}
		if (n++ == 0)
			family = malloc(sizeof *family); /* NULL: then their memory is never freed */
		gev__greenlet_lose(g);
		/* Its place in the list is the family's from now on: nobody's departure may write there. */
		gev__leave_all(g);
		g->family = family;
		__atomic_store_n(&g->hub, NULL, __ATOMIC_RELAXED);
		if (__atomic_load_n(&g->joined_afar, __ATOMIC_ACQUIRE))
			gev__lot_wake(g, INT_MAX, 0);
	}
	h->all = NULL;
	if (n == 0)
		gev__blocks_done(&h->blocks);
	else if (family)
		*family = (struct gev__orphans){.blocks = h->blocks, .n = n};
	__atomic_store_n(&ending, NULL, __ATOMIC_RELAXED);
	gev__unlock(&between);
}

/* ---- Handles that nobody gave back ---- */

static void report_one(const struct gev_greenlet *g)
{
	Dl_info function = {0};
	dladdr(*(void *const *)(const void *)&g->entry, &function);
	gev__warn("not released: greenlet %p \"%s\", which began in %s (%p) and %s; references: %u", (const void *)g,
		  g->name, function.dli_sname ? function.dli_sname : "a function",
		  *(void *const *)(const void *)&g->entry, gev__is_done(g) ? "has ended" : "has not ended",
		  __atomic_load_n(&g->refs, __ATOMIC_RELAXED));
}

void gev__handles_report(const struct gev__hub *h)
{
	enum { MOST = 20 };
	size_t n = 0;
	if (!gev__options()->handles)
		return;
	for (const struct gev_greenlet *g = h->all; g; g = g->all_next) {
		if (g->is_thread || __atomic_load_n(&g->refs, __ATOMIC_RELAXED) == 0)
			continue;
		if (n++ < MOST)
			report_one(g);
	}
	if (n > MOST)
		gev__warn("not released: %zu greenlets more", n - MOST);
}

static void report_at_exit(void)
{
	const struct gev__hub *h = gev__hub_here();
	if (h)
		gev__handles_report(h);
}

void gev__handles_report_at_exit(void)
{
	static bool registered;
	if (gev__options()->handles && !__atomic_exchange_n(&registered, true, __ATOMIC_RELAXED))
		atexit(report_at_exit);
}

void gev__handles_lock(void)
{
	gev__lock(&between);
}

void gev__handles_unlock(void)
{
	gev__unlock(&between);
}
