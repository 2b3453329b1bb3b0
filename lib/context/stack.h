/* stack.h: guarded stacks, by size; those not in use keep their memory within a bound in bytes.
 *
 *      slab: n places of `total` bytes, end to end, from an odd MiB on
 *      +-------+----------------------+-------+----------------------+---
 *      | guard |  ... <- grows  | top | guard |  ... <- grows  | top | ...
 *      +-------+----------------------+-------+----------------------+---
 *              lo                     hi
 *
 * A pool belongs to one OS thread (its hub's) and is not locked. Invariants: of each size, places made = in use + warm +
 * trimmed + leaving + cold + fresh; bytes resident in stacks not in use <= kept + leaving <= may_keep. */
#ifndef GEV_CONTEXT_STACK_H
#define GEV_CONTEXT_STACK_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/macros.h"

struct gev__stack_pool;
struct gev__stack_slab;

/* A list of places, kept outside them: touching an unused stack would make its page resident. */
struct gev__stack_places {
	char **at;
	size_t n;
	size_t room;
};

/* All stacks of one size. */
struct gev__stack_class {
	struct gev__stack_pool *pool;
	size_t total;                  /* guard included */
	size_t guard;                  /* lowest of it */
	size_t usable;                 /* the rest: what a stack may keep resident while nobody uses it */
	struct gev__stack_places warm; /* guarded, memory kept */
	/* From here on the slow paths' own. */
	struct gev__stack_places trimmed; /* guarded, TRIMMED bytes kept, the rest given back */
	struct gev__stack_places leaving; /* guarded, by address; the memory of all of them is given back together */
	struct gev__stack_places cold;    /* guarded, memory given back */
	struct gev__stack_class *next;
	struct gev__stack_slab *slabs;
	size_t slab_stacks; /* the next slab's size: doubles up to SLAB_STACKS */
	char *fresh;        /* places of the newest slab that were never handed out */
	char *guarded;      /* of these the first ones, up to here, have their guard */
	char *fresh_end;
	bool by_mprotect; /* this slab takes no guard markers */
};

struct gev__stack {
	char *lo;
	char *hi;
	struct gev__stack_class *class; /* NULL: the caller's own memory */
};

struct gev__stack_pool {
	struct gev__stack_class *classes;
	struct gev__stack_class *last; /* whom the last request went to, and what it was */
	size_t last_size;
	size_t last_guard;
	size_t kept;       /* bytes that warm and trimmed stacks may have resident, at most */
	size_t leaving;    /* the same of those whose memory is about to be given back */
	size_t may_keep;   /* GEV_STACK_CACHE */
	size_t keep_whole; /* up to there nothing is trimmed */
	size_t may_leave;  /* the share of may_keep that is for `leaving` */
	bool one_by_one;   /* the kernel takes no vectors of advice */
};

int gev__stack_get_slowly(struct gev__stack_pool *pool, size_t size, size_t guard, struct gev__stack *out);
void gev__stack_put_slowly(struct gev__stack *stack);

static inline struct gev__stack gev__stack_at(struct gev__stack_class *c, char *place)
{
	return (struct gev__stack){.lo = place + c->guard, .hi = place + c->total, .class = c};
}

/* A stack of `size` bytes, rounded up to pages, the lowest `guard` of which (at least a page) fault; a size that would leave less than a page above
 * the guard gets the guard on top. -EAGAIN: no memory. */
static inline int gev__stack_get(struct gev__stack_pool *pool, size_t size, size_t guard, struct gev__stack *out)
{
	/* Most programs ask for the same all the time. */
	struct gev__stack_class *c = pool->last;
	if (unlikely(c == NULL || size != pool->last_size || guard != pool->last_guard || c->warm.n == 0))
		return gev__stack_get_slowly(pool, size, guard, out);
	pool->kept -= c->usable;
	*out = gev__stack_at(c, c->warm.at[--c->warm.n]);
	return 0;
}

/* Whether giving it back now would leave its memory as it is. */
static inline bool gev__stack_stays(const struct gev__stack *stack)
{
	const struct gev__stack_class *c = stack->class;
	return c && c->pool->kept + c->usable <= c->pool->keep_whole;
}

/* Gives it back. Nobody may run on it; the calling flow may not either, unless it stays, and whoever may take it next does so when the flow is gone. */
static inline void gev__stack_put(struct gev__stack *stack)
{
	struct gev__stack_class *c = stack->class;
	if (unlikely(!gev__stack_stays(stack))) {
		gev__stack_put_slowly(stack);
		return;
	}
	c->pool->kept += c->usable;
	c->warm.at[c->warm.n++] = stack->lo - c->guard;
}

/* Unmaps everything; no stack may be in use. */
void gev__stack_pool_done(struct gev__stack_pool *pool);

#endif
