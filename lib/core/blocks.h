/* blocks.h: the memory of control blocks, end to end in slabs.
 *
 * Not on the greenlets' stacks, although there is room: each stack is a page of its own in a page table of its own, so with thousands of
 * greenlets its first touch is a walk through cold page tables. A wake touches the control block only; laid end to end, thirty share a page.
 * A pool belongs to one OS thread. Memory goes back when the pool ends. */
#ifndef GEV_CORE_BLOCKS_H
#define GEV_CORE_BLOCKS_H

#include <stddef.h>

#include "lib/base/macros.h"
#include "lib/core/greenlet.h"

struct gev__block_slab;

struct gev__blocks {
	struct gev_greenlet *unused; /* chained through all_next */
	struct gev__block_slab *slabs;
	size_t slab_blocks; /* of the next slab: doubles up to a bound */
};

/* More unused ones. The first of them; NULL: no memory. */
struct gev_greenlet *gev__blocks_add(struct gev__blocks *pool);

/* NULL: no memory. Not zeroed. */
static inline struct gev_greenlet *gev__block_get(struct gev__blocks *pool)
{
	struct gev_greenlet *g = likely(pool->unused != NULL) ? pool->unused : gev__blocks_add(pool);
	if (likely(g != NULL))
		pool->unused = g->all_next;
	return g;
}

static inline void gev__block_put(struct gev__blocks *pool, struct gev_greenlet *g)
{
	g->all_next = pool->unused;
	pool->unused = g;
}

void gev__blocks_done(struct gev__blocks *pool);

#endif
