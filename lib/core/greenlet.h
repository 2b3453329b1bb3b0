/* greenlet.h: the control block of a greenlet, and its life from spawn to reclaim.
 *
 * Life:  NEW --start--> READY <--> RUNNING --> PARKED --wake--> READY ...      RUNNING --finish--> DONE --reclaim--> gone
 * Invariants: exactly one greenlet per hub (or the hub itself) is RUNNING; READY ones are on the hub's FIFO, once;
 * a DONE one is reclaimed as soon as nobody holds it. */
#ifndef GEV_CORE_GREENLET_H
#define GEV_CORE_GREENLET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/macros.h"
#include "lib/context/context.h"
#include "lib/context/stack.h"
#include "lib/core/current.h"

enum gev__state { GEV__NEW, GEV__READY, GEV__RUNNING, GEV__PARKED, GEV__DONE };

struct gev__hub;

enum { GEV__WAIT_ROOM = 5 }; /* words */

struct gev_greenlet {
	/* All that a park, a wake and a switch touch lies in the first 64 bytes: with thousands of greenlets each line is a cache miss. */
	struct gev__context context;
	struct gev__hub *hub;
	uint8_t state;
	bool token; /* a wake came while it did not park: the next park returns at once */
	bool held;  /* somebody has the handle: DONE does not reclaim it */
	bool own_identity;
	uint8_t marks;     /* atomic: GEV_PARK_KILLABLE: killed; GEV_PARK_INTERRUPTIBLE: interrupted */
	int why;           /* what park returns: 0 or -ETIMEDOUT */
	uint32_t timer_at; /* its place in the hub's timer heap; 0: not on it */
	/* The second line is room for whoever parks it on a descriptor: io/ keeps its waiter here, and not on the cold stack. The first word is an
	 * address that its next wait will touch, or was once: it is only prefetched. */
	void *wait_room[GEV__WAIT_ROOM] __attribute__((aligned(CACHE_LINE)));
	void *watched; /* what an observer keeps about it (hooks.h) */
	struct gev_greenlet *inbox_next;
	bool in_inbox; /* atomic: another thread has woken it, and the hub has not seen that yet */
	int saved_errno;
	union {
		void *(*entry)(void *);
		void (*thread_entry)(void *); /* with own_identity and no value */
	};
	void *arg;
	void *value;
	bool is_thread; /* thread_entry is the one */
	struct gev_greenlet *all_next;
	struct gev_greenlet **all_link;
	struct gev__stack stack;
	char name[16];
} __attribute__((aligned(CACHE_LINE)));

struct gev__spawn {
	const char *name;
	size_t stack_size;
	size_t guard_size;
	void *stack;
	bool own_identity;
	bool suspended;
	bool held;
	void (*thread_entry)(void *); /* instead of entry */
};

/* Whether a native greenlet gets an identity of its own unless its attributes say otherwise: once a shim is active, any libc call may switch. */
extern bool gev__spawn_identity;

/* On the caller's hub. -EAGAIN: no memory. */
int gev__greenlet_new(struct gev__hub *hub, const struct gev__spawn *how, void *(*entry)(void *), void *arg,
		      struct gev_greenlet **out);
void gev__greenlet_start(struct gev_greenlet *g);
/* The handle is let go: reclaims it now if it is DONE, else at its end. */
void gev__greenlet_unhold(struct gev_greenlet *g);
/* Ends the calling greenlet where it stands. */
void gev__greenlet_finish(void) __attribute__((noreturn));
/* Gives back everything of a greenlet that does not run and never will. */
void gev__greenlet_reclaim(struct gev_greenlet *g);

static inline bool gev__is_done(const struct gev_greenlet *g)
{
	return __atomic_load_n(&g->state, __ATOMIC_ACQUIRE) == GEV__DONE;
}

#endif
