/* Slabs of control blocks. */
#include "lib/core/blocks.h"

#include <stdlib.h>

#include "lib/base/macros.h"
#include "lib/core/greenlet.h"

enum { FIRST_BLOCKS = 16, MOST_BLOCKS = 1024 };

struct gev__block_slab {
	struct gev__block_slab *next;
	struct gev_greenlet blocks[];
};

struct gev_greenlet *gev__blocks_add(struct gev__blocks *pool)
{
	size_t n = pool->slab_blocks ? pool->slab_blocks : FIRST_BLOCKS;
	struct gev__block_slab *slab;
	size_t size = sizeof *slab + n * sizeof *slab->blocks;
	slab = aligned_alloc(CACHE_LINE, round_up(size, (size_t)CACHE_LINE));
	if (slab == NULL)
		return NULL;
	slab->next = pool->slabs;
	pool->slabs = slab;
	pool->slab_blocks = n < MOST_BLOCKS ? n * 2 : n;
	for (size_t i = n; i-- > 0;)
		gev__block_put(pool, &slab->blocks[i]);
	return pool->unused;
}

void gev__blocks_done(struct gev__blocks *pool)
{
	while (pool->slabs) {
		struct gev__block_slab *slab = pool->slabs;
		pool->slabs = slab->next;
		free(slab);
	}
	*pool = (struct gev__blocks){0};
}
