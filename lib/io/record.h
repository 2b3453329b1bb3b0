/* record.h: what a hub keeps of each descriptor number; for lib/io/readiness.c and lib/io/many.c, which wait, and lib/io/closing.c, which ends waits.
 *
 *      hub's table -> chunk of 256 records -> record: read, write -> side: { ev_io, waiters }
 *
 * Only the hub's OS thread touches its records, but for what says so. */
#ifndef GEV_IO_RECORD_H
#define GEV_IO_RECORD_H

#include <ev.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/lock.h"
#include "lib/base/macros.h"
#include "lib/core/greenlet.h"
#include "lib/core/hub.h"
#include "lib/core/park.h"

enum { READ_SIDE, WRITE_SIDE, SIDES };
_Static_assert(1 << READ_SIDE == GEV_READABLE && 1 << WRITE_SIDE == GEV_WRITABLE, "which is a bit's number");

struct side;

struct waiter {
	struct side *side; /* first, as wait_room wants it; NULL: on a record's list of the others */
	struct waiter *next;
	struct waiter **link; /* NULL: not queued */
	struct gev_greenlet *g;
	bool observes;
	bool odd;      /* on a record's list of the others: its hub's odd set tells him (lib/io/odd.h) */
	uint16_t mask; /* of an odd one: the poll(2) mask */
	int got;       /* GEV_READABLE, GEV_WRITABLE, or -EBADF, -ENOMEM; of an observer, gev__said() of it */
};

/* For an observer: what the kernel said, in poll(2)'s words; 0: it has to be asked. */
enum { SAID_SHIFT = 8 };
static inline int gev__said(int got)
{
	return got >> SAID_SHIFT;
}
_Static_assert(sizeof(struct waiter) <= GEV__WAIT_ROOM * sizeof(void *), "a waiter fits into its room");

/* One cache line: with thousands of descriptors each line that an event touches is a miss. io.data counts the events in a row that found nobody. */
struct side {
	ev_io io;
	struct waiter *first;
	struct waiter **last;
} __attribute__((aligned(CACHE_LINE)));

/* Two lines: most descriptors are never waited for until they can be written, so the sides for that are made, for a chunk at once, when one of it is. */
struct record {
	struct side read;
	struct side *write; /* NULL: not yet, of the whole chunk. Set by the hub's thread */
	/* Who wait for something else than reading and writing, elsewhere: they are told of the closing. */
	struct waiter *others;
	uint16_t odd_armed; /* the poll(2) mask of which the odd set tells, 0: it does not know the number */
	bool odd_idle;      /* its last event there found nobody */
	bool drained;       /* nothing to read when last looked at: see gev__fd_note_read */
	uint8_t type;       /* enum type */
	bool used;    /* atomic, other threads read it: something is known of the number since it was last closed */
	bool entered; /* atomic, the same: a watcher was started since then, so the number may be in libev's set */
	bool posted;  /* under the table's lock: on its list of closings */
	uint32_t closed_at; /* the table's closings when the number was last closed */
	struct record *next_posted;
};
_Static_assert(sizeof(struct record) == 2 * CACHE_LINE, "thousands of them are idle");

/* Asked once: of anything but a stream a short read says nothing about what is left. */
enum type { TYPE_UNKNOWN, TYPE_STREAM, TYPE_OTHER };

enum { CHUNK_BITS = 8, CHUNK = 1 << CHUNK_BITS };

struct table {
	struct record **chunks; /* changed by the hub's thread only, under the lock */
	size_t n;
	struct record *posted; /* atomic, changed under the lock: numbers that other threads close, not settled yet */
	uint32_t closings;     /* atomic: grows with every closing of a number that is used here */
	struct gev__hub *hub;
	int odd; /* the hub's odd epoll set, -1: not yet. Atomic, changed by the hub's thread */
	ev_io odd_io;
	/* What other threads write all the time lies on another line than what the hub reads all the time. */
	struct gev__lock lock __attribute__((aligned(CACHE_LINE)));
	struct table *next;
	struct table **link;
};

static inline struct record *gev__record_find(const struct table *t, size_t fd)
{
	size_t chunk = fd >> CHUNK_BITS;
	if (t == NULL || chunk >= t->n || t->chunks[chunk] == NULL)
		return NULL;
	return &t->chunks[chunk][fd & (CHUNK - 1)];
}

/* NULL: nobody has ever waited there. */
static inline struct side *gev__side(struct record *r, int which)
{
	return which == READ_SIDE ? &r->read : r->write;
}

static inline void gev__waiter_dequeue(struct waiter *w)
{
	if (w->link == NULL)
		return;
	*w->link = w->next;
	if (w->next)
		w->next->link = w->link;
	else if (w->side)
		w->side->last = w->link;
	w->link = NULL;
}

static inline void gev__waiter_deliver(struct waiter *w, int got)
{
	gev__waiter_dequeue(w);
	w->got = got;
	gev__wake_here(w->g);
}

/* Of the two waiters, one a side, of which one has an error. */
static inline int gev__one_error(const struct waiter *w)
{
	return w[READ_SIDE].got < 0 ? w[READ_SIDE].got : w[WRITE_SIDE].got;
}

/* ---- lib/io/readiness.c ---- */

/* The hub's; made at the first call. NULL: no memory. */
struct table *gev__table_of(struct gev__hub *h);
struct record *gev__record_make(struct table *t, unsigned fd);

/* Queues w on one side of fd and has it watched. `known`: GEV_FD_OPEN, GEV_FD_SOCKET, or both. 0; -EBADF, -ELOOP, -ENOMEM, -EMFILE; -EALREADY: some thread is
 * closing that number just now, and gev__let_close is to be called instead of a wait. */
int gev__watch(struct gev__hub *h, struct table *t, int fd, int which, unsigned known, struct waiter *w);
int gev__let_close(int hint, int64_t deadline, unsigned flags);

/* For observers: for what g waits, until the next note; NULL, 0: for nothing. */
void gev__leave_note(struct gev_greenlet *g, const struct gev_fd_want *want, size_t n);

/* ---- lib/io/closing.c ---- */

/* From its birth to its end a table hears of every closing in the process. */
void gev__table_enter(struct table *t);
void gev__table_leave(struct table *t);
/* In a forked child: t, or none, is the only one. */
void gev__tables_forked(struct table *t);

/* By the hub's own thread. */
void gev__table_lock(struct table *t);
void gev__table_unlock(struct table *t);

/* By the hub's own thread: what other threads have posted takes effect. */
void gev__table_settle(struct table *t);
/* The same, and until the release no other thread can begin to close a number. */
void gev__table_hold(void *table);
void gev__table_release(void *table);

/* Whether other threads than the one of the only hub close numbers: if not, a number that was open a moment ago still is. To be asked once the
 * record is marked as used. */
bool gev__tables_shared(void);

/* Whether some thread is between fd_closing and fd_closed of this number. */
bool gev__fd_being_closed(int fd);

/* The table's count of closings, to be given to gev__closed_since after the wait. */
static inline uint32_t gev__closings(const struct table *t)
{
	return __atomic_load_n(&t->closings, __ATOMIC_RELAXED);
}

bool gev__closed_slowly(struct table *t, const struct side *side, uint32_t closings);

/* Whether the number behind that side was closed since `closings` was taken: what is open under it now is another descriptor. */
static inline bool gev__closed_since(struct table *t, const struct side *side, uint32_t closings)
{
	return unlikely(gev__closings(t) != closings) && gev__closed_slowly(t, side, closings);
}

#endif
