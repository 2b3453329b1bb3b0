/* greenlet.h: the control block of a greenlet, and its life from spawn to reclaim.
 *
 * Life:  NEW --start--> READY <--> RUNNING --> PARKED --wake--> READY ...      RUNNING --finish--> DONE --bury--> (stack and identity gone)
 * Invariants: exactly one greenlet per hub (or the hub itself) is RUNNING; READY ones are on the hub's FIFO, once;
 * a DONE one buries itself as its last deed, or where that cannot be is buried by whoever runs next; its control block is free as soon as it is buried and refs is 0 (handle.c). */
#ifndef GEV_CORE_GREENLET_H
#define GEV_CORE_GREENLET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gev/embed.h"
#include "lib/base/macros.h"
#include "lib/context/context.h"
#include "lib/context/stack.h"
#include "lib/core/current.h"

enum gev__state { GEV__NEW, GEV__READY, GEV__RUNNING, GEV__PARKED, GEV__DONE };

struct gev__ending;
struct gev__extra;
struct gev__hub;
struct gev__orphans;

enum { GEV__WAIT_ROOM = 5 }; /* words */

struct gev_greenlet {
	/* All that a park, a wake and a switch touch lies in the first 64 bytes: with thousands of greenlets each line is a cache miss. */
	struct gev__context context;
	struct gev__hub *hub;
	uint8_t state;
	bool token;    /* a wake came while it did not park: the next park returns at once */
	uint8_t marks; /* atomic: GEV__MARK_* */
	bool own_identity;
	uint8_t waits;     /* the flags of the park it is in */
	int why;           /* what park returns: 0 or -ETIMEDOUT */
	uint32_t timer_at; /* its place in the hub's timer heap; 0: not on it */
	/* The second line is room for whoever parks it on a descriptor: io/ keeps its waiter here, and not on the cold stack. The first word is an
	 * address that its next wait will touch, with the line behind it, or was once: they are only prefetched. */
	void *wait_room[GEV__WAIT_ROOM] __attribute__((aligned(CACHE_LINE)));
	void *watched; /* what an observer keeps about it (hooks.h) */
	struct gev_greenlet *inbox_next;
	bool in_inbox; /* atomic: another thread has left word for it, and the hub has not seen that yet */
	int saved_errno;
	union {
		void *(*entry)(void *);
		void (*thread_entry)(void *); /* with own_identity and no value */
	};
	void *arg; /* until it runs; then its struct gev__room */
	union {
		void *value;              /* once DONE; with `failed`, the error */
		struct gev__ending *ends; /* until then: who on this hub waits for its end */
	};
	uint32_t refs;    /* atomic: handles; the last one goes on the hub's own thread */
	bool is_thread;   /* thread_entry is the one */
	bool buried;      /* DONE, and only the control block is left */
	bool failed;      /* gev_fail */
	bool lost;        /* it never ended, and never will: its OS thread is gone, or it stayed behind at a fork */
	bool let_go;      /* atomic: the last handle was given back on another thread */
	bool joined_afar; /* atomic: somebody waits for its end in the lot */
	uint16_t shields;
	struct gev__extra *extra; /* what few greenlets have; NULL until then */
	union {
		struct gev_greenlet *all_next;
		struct gev__orphans *family; /* once its hub is gone */
	};
	struct gev_greenlet **all_link;
	struct gev__stack stack;
	char name[16];
} __attribute__((aligned(CACHE_LINE)));

/* The bits of `marks`. The low ones are those of the flags that a wait gives, so that one test of both finds that there is something to look at:
 * a wait that a kill may end looks for KILLED, and for TIMED. */
enum {
	GEV__MARK_LOOK = GEV_PARK_KILLABLE, /* == KILLED or TIMED */
	GEV__MARK_INTERRUPTED = GEV_PARK_INTERRUPTIBLE,
	GEV__MARK_KILLED = 16,
	GEV__MARK_SHIELDED = 32,
	GEV__MARK_KILL_WAITS = 64, /* killed while shielded */
	GEV__MARK_TIMED = 128,     /* it is inside a gev_timeout */
};

struct gev__spawn {
	const char *name;
	size_t stack_size;
	size_t guard_size;
	void *stack;
	bool own_identity;
	bool suspended;
	uint32_t refs;
	const void *copy; /* copy_size bytes of it go to the top of the stack, and their place there is the argument */
	size_t copy_size;
	void (*thread_entry)(void *); /* instead of entry */
};

/* Whether a native greenlet gets an identity of its own unless its attributes say otherwise: once a shim is active, any libc call may switch. */
extern bool gev__spawn_identity not_exported;

/* The hub's list of all its greenlets. */
void gev__enter_all(struct gev__hub *h, struct gev_greenlet *g);
void gev__leave_all(struct gev_greenlet *g);

/* On the caller's hub. -EAGAIN: no memory. */
int gev__greenlet_new(struct gev__hub *hub, const struct gev__spawn *how, void *(*entry)(void *), void *arg,
		      struct gev_greenlet **out);
/* The same for one of which nothing is said but its stack's size. NULL: no memory. */
struct gev_greenlet *gev__greenlet_new_plain(struct gev__hub *hub, uint32_t refs, size_t stack_size,
					     void *(*entry)(void *), void *arg);
void gev__greenlet_start(struct gev_greenlet *g);
/* Ends the calling greenlet where it stands, with that value. */
void gev__greenlet_finish(void *value) __attribute__((noreturn));
/* The ended one's stack and identity go back, and its control block if nobody holds it. On its hub; on its stack only if gev__stack_stays. */
void gev__greenlet_bury(struct gev_greenlet *g);
/* Gives back all of a greenlet that does not run and never will. */
void gev__greenlet_reclaim(struct gev_greenlet *g);
/* The same for one whose handle may be held: what is left is its control block, marked lost. */
void gev__greenlet_lose(struct gev_greenlet *g);

/* Only its hub's thread writes a state; others may ask for it. */
static inline void gev__set_state(struct gev_greenlet *g, enum gev__state state)
{
	__atomic_store_n(&g->state, state, __ATOMIC_RELAXED);
}

static inline bool gev__is_done(const struct gev_greenlet *g)
{
	return __atomic_load_n(&g->state, __ATOMIC_ACQUIRE) == GEV__DONE;
}

#endif
