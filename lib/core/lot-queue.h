/* lot-queue.h: the queues of the parking lot; for lib/core/lot.c and lib/core/lot-async.c.
 *
 *      buckets[hash(addr)]    head -> waiter -> waiter -> ... <- tail      (FIFO; several addresses may share a bucket)
 */
#ifndef GEV_CORE_LOT_QUEUE_H
#define GEV_CORE_LOT_QUEUE_H

#include <errno.h>
#include <linux/futex.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/syscall.h>

#include "lib/base/lock.h"
#include "lib/base/macros.h"
#include "lib/base/sys.h"

struct gev_greenlet;

struct waiter {
	const void *addr; /* atomic: a requeue changes it, under both buckets' locks */
	struct waiter *next;
	struct waiter *prev;
	struct gev_greenlet *g; /* NULL: an OS thread */
	uint32_t chosen;        /* atomic; the futex word of an OS thread */
	bool from_afar;         /* a thread of another hub, or of none, has chosen it */
	uint16_t kind;          /* GEV_ON_... */
	uintptr_t token;
};

struct bucket {
	struct gev__lock lock;
	struct waiter *head;
	struct waiter *tail;
	bool noted; /* atomic: there may be notes for it */
} __attribute__((aligned(CACHE_LINE)));

enum { BUCKET_BITS = 10, BUCKETS = 1 << BUCKET_BITS };
extern struct bucket gev__lot_buckets[BUCKETS];

static inline struct bucket *bucket_of(const void *addr)
{
	/* Fibonacci hashing: the high bits of the product depend on all of the address. */
	return &gev__lot_buckets[((uintptr_t)addr * UINT64_C(0x9e3779b97f4a7c15)) >> (64 - BUCKET_BITS)];
}

/* lot-async.c: does what is noted for b, unless somebody else holds it. */
void gev__lot_carry_out(struct bucket *b);

/* Every give-back looks at the notes. A handler that has interrupted us before it finds the lock held, and us after it; a handler on another
 * processor makes sure by a barrier on all of them that it finds the one or we the other: so there is none here. */
static inline void give_back(struct bucket *b)
{
	gev__unlock(&b->lock);
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	if (unlikely(__atomic_load_n(&b->noted, __ATOMIC_RELAXED)))
		gev__lot_carry_out(b);
}

static inline void unlink_waiter(struct bucket *b, struct waiter *w)
{
	if (w->prev)
		w->prev->next = w->next;
	else
		b->head = w->next;
	if (w->next)
		w->next->prev = w->prev;
	else
		b->tail = w->prev;
}

static inline struct waiter *first_under(struct waiter *w, const void *addr)
{
	while (w && w->addr != addr)
		w = w->next;
	return w;
}

static inline void wake_thread(uint32_t *word)
{
	int saved = errno;
	gev__sys.syscall(SYS_futex, (long)word, FUTEX_WAKE_PRIVATE, 1, 0, 0, 0);
	errno = saved;
}

/* In a forked child. */
void gev__lot_notes_forked(void);

#endif
