/* identity-memory.h: where the thread-local storage and the thread control blocks of identities lie.
 *
 *      piece of a huge page
 *      +------+------------------------------+------------------------------+---
 *      | head | static TLS | struct pthread  | static TLS | struct pthread  | ...      (x86-64; elsewhere: thread-block.h)
 *      +------+------------------------------+------------------------------+---
 *                          ^ thread pointer               ^ thread pointer
 *
 * The loader lays out what is in such a place (_dl_allocate_tls with memory of the caller's); here is only who has it.
 * A pool belongs to one OS thread and is not locked. Invariant: of the pieces without an identity in use it keeps at most one. */
#ifndef GEV_CONTEXT_IDENTITY_MEMORY_H
#define GEV_CONTEXT_IDENTITY_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

struct gev__tls_piece;

struct gev__tls_pool {
	struct gev__tls_piece *room;  /* those with an unused place, the one last given back to first */
	struct gev__tls_piece *empty; /* the one that is kept for the next */
	size_t pieces;
};

/* How one place is cut. */
struct gev__tls_shape {
	size_t stride;
	size_t first;    /* of the first thread pointer, from the beginning of the piece */
	size_t to_place; /* from a thread pointer back to the beginning of its place */
};

/* `before` bytes below the thread pointer, which is aligned to `align`, and `after` bytes from there on. -EINVAL: they are too big for a piece, or
 * cannot be aligned. */
int gev__tls_shape(size_t before, size_t after, size_t align, struct gev__tls_shape *out);

/* The thread pointer of a place whose memory is whatever its last tenant left, zero if it had none. NULL: no memory. */
void *gev__tls_get(struct gev__tls_pool *pool, const struct gev__tls_shape *shape);
void gev__tls_put(struct gev__tls_pool *pool, const struct gev__tls_shape *shape, void *tp);
/* No identity may be in use. */
void gev__tls_pool_done(struct gev__tls_pool *pool);

#endif
