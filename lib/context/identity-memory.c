/* Places for identities, out of huge pages as soon as there are many.
 *
 * The first piece begins on ordinary pages, so that a program with ten threads pays for ten; when it is full it is made one huge page,
 * and so are those that follow. Measured with 8000 busy connections: see docs/benchmarks.md. */
#include "lib/context/identity-memory.h"

#include <errno.h>
#include <stdint.h>
#include <sys/mman.h>

#include "lib/base/huge.h"
#include "lib/base/macros.h"
#include "lib/base/sys.h"
#include "lib/context/annotate.h"

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25 /* Linux 6.1 (madvise(2)) */
#endif

/* Fewer than that many places a piece, because some module has very much thread-local storage: then pieces do not pay. */
enum { LEAST_PLACES = 8 };

/* Unused places are linked through their first word, which lies in thread-local storage that nobody has. */
struct unused {
	struct unused *next;
};

struct gev__tls_piece {
	struct gev__tls_piece *next;  /* on the list of those with room */
	struct gev__tls_piece **link; /* NULL: not on it */
	struct unused *unused;
	char *fresh; /* the first thread pointer that was never handed out */
	size_t used;
	bool dense;
};

int gev__tls_shape(size_t before, size_t after, size_t align, struct gev__tls_shape *out)
{
	size_t at_least = align > CACHE_LINE ? align : CACHE_LINE;
	if (align == 0 || (align & (align - 1)) || before % align || before > GEV__HUGE || after > GEV__HUGE)
		return -EINVAL;
	out->stride = round_up(before + after, at_least);
	out->to_place = before;
	out->first = round_up(sizeof(struct gev__tls_piece), at_least) + out->to_place;
	return out->first + LEAST_PLACES * out->stride <= GEV__HUGE ? 0 : -EINVAL;
}

static void list(struct gev__tls_pool *pool, struct gev__tls_piece *piece)
{
	piece->next = pool->room;
	piece->link = &pool->room;
	if (piece->next)
		piece->next->link = &piece->next;
	pool->room = piece;
}

static void unlist(struct gev__tls_piece *piece)
{
	*piece->link = piece->next;
	if (piece->next)
		piece->next->link = piece->link;
	piece->link = NULL;
}

static struct gev__tls_piece *add_piece(struct gev__tls_pool *pool, const struct gev__tls_shape *shape)
{
	struct gev__tls_piece *piece = gev__huge_map(pool->pieces > 0);
	if (piece == NULL)
		return NULL;
	gev__note_root(piece, GEV__HUGE);
	*piece = (struct gev__tls_piece){.fresh = (char *)piece + shape->first, .dense = pool->pieces > 0};
	pool->pieces++;
	list(pool, piece);
	return piece;
}

static void drop_piece(struct gev__tls_pool *pool, struct gev__tls_piece *piece)
{
	unlist(piece);
	pool->pieces--;
	gev__note_no_root(piece, GEV__HUGE);
	gev__huge_unmap(piece);
}

/* No place of it was ever given back, and there is none left. */
static bool exhausted(const struct gev__tls_piece *piece, const struct gev__tls_shape *shape)
{
	return piece->fresh - shape->to_place + shape->stride > (char *)piece + GEV__HUGE;
}

void *gev__tls_get(struct gev__tls_pool *pool, const struct gev__tls_shape *shape)
{
	struct gev__tls_piece *piece = likely(pool->room != NULL) ? pool->room : add_piece(pool, shape);
	if (unlikely(piece == NULL))
		return NULL;
	if (piece == pool->empty)
		pool->empty = NULL;
	char *tp;
	if (piece->unused) {
		tp = (char *)piece->unused + shape->to_place;
		piece->unused = piece->unused->next;
	} else {
		tp = piece->fresh;
		piece->fresh += shape->stride;
	}
	piece->used++;
	if (piece->unused == NULL && exhausted(piece, shape)) {
		unlist(piece);
		/* EINVAL: an older kernel, or no huge page to be had just now. It is a matter of speed only. */
		if (!piece->dense)
			gev__sys.madvise(piece, GEV__HUGE, MADV_COLLAPSE);
		piece->dense = true;
	}
	return tp;
}

void gev__tls_put(struct gev__tls_pool *pool, const struct gev__tls_shape *shape, void *tp)
{
	struct gev__tls_piece *piece = gev__huge_of(tp);
	struct unused *place = (struct unused *)(void *)((char *)tp - shape->to_place);
	place->next = piece->unused;
	piece->unused = place;
	if (piece->link == NULL)
		list(pool, piece);
	if (--piece->used > 0)
		return;
	if (pool->empty)
		drop_piece(pool, piece);
	else
		pool->empty = piece;
}

void gev__tls_pool_done(struct gev__tls_pool *pool)
{
	if (pool->empty)
		drop_piece(pool, pool->empty);
	pool->empty = NULL;
}
