/* stack.h: guarded stacks, by size; those not in use keep their memory within a bound in bytes.
 *
 *      slab: n places of `total` bytes, end to end, from an odd MiB on
 *      +-------+----------------------+-------+----------------------+---
 *      | guard |  ... <- grows  | top | guard |  ... <- grows  | top | ...
 *      +-------+----------------------+-------+----------------------+---
 *              lo                     hi
 *
 * A pool belongs to one OS thread (its hub's) and is not locked. Invariants: of each size, places made = in use + warm +
 * trimmed + cold + fresh; bytes resident in stacks not in use <= kept <= may_keep. */
#ifndef GEV_CONTEXT_STACK_H
#define GEV_CONTEXT_STACK_H

#include <stddef.h>

struct gev__stack_class;

struct gev__stack {
	char *lo;
	char *hi;
	size_t guard;
	struct gev__stack_class *class; /* NULL: the caller's own memory */
};

struct gev__stack_pool {
	struct gev__stack_class *classes;
	struct gev__stack_class *last; /* whom the last request went to, and what it was */
	size_t last_size;
	size_t last_guard;
	size_t kept;     /* bytes that stacks not in use may have resident, at most */
	size_t may_keep; /* GEV_STACK_CACHE */
};

/* A stack of `size` bytes, rounded up to pages, the lowest `guard` of which (at least a page) fault; a size that would leave less than a page above
 * the guard gets the guard on top. -EAGAIN: no memory. */
int gev__stack_get(struct gev__stack_pool *pool, size_t size, size_t guard, struct gev__stack *out);

/* Gives it back. Nobody may run on it; the calling flow may not either. */
void gev__stack_put(struct gev__stack *stack);

/* Unmaps everything; no stack may be in use. */
void gev__stack_pool_done(struct gev__stack_pool *pool);

#endif
