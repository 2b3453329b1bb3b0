/* debug.h: what a debugger needs to find every greenlet of a process or of a core file, without debug information.
 *
 * gev_debug_v1 is one exported, constant table: where the list of hubs begins, and at which byte of which structure lies what. Whoever reads it
 * from outside (the gdb helper, tools/gdb) knows this page only; the structures may change, and the table with them. */
#ifndef GEV_CORE_DEBUG_H
#define GEV_CORE_DEBUG_H

#include <stdint.h>

struct gev__hub;

struct gev_debug {
	uint32_t size;                /* of this table, in bytes: a newer one may be longer */
	uint32_t greenlet_size;       /* of struct gev_greenlet */
	struct gev__hub *const *hubs; /* the first hub; NULL: none */
	const char *states;           /* the names of the states, in the order of their numbers, a blank between */

	/* In struct gev__hub: bytes from its beginning. */
	struct {
		uint32_t next; /* struct gev__hub *: the next hub */
		uint32_t self; /* struct gev_greenlet: the hub's own flow */
		uint32_t main; /* struct gev_greenlet: the OS thread's */
		uint32_t all;  /* struct gev_greenlet *: the one that was made last, main and self not among them */
	} hub;

	/* In struct gev_greenlet. */
	struct {
		uint32_t next;         /* struct gev_greenlet *: the one that was made before */
		uint32_t state;        /* uint8_t */
		uint32_t own_identity; /* bool */
		uint32_t name;         /* char[name_size], ended by a zero */
		uint32_t name_size;
		uint32_t entry; /* a pointer to the function that it began with */
		uint32_t stack_low;
		uint32_t stack_high; /* pointers; main has none */
		/* Where it goes on, while it does not run. */
		uint32_t sp;
		uint32_t fp;
		uint32_t pc;
		uint32_t tp; /* always valid: its thread pointer */
	} greenlet;
};

__attribute__((visibility("default"))) extern const struct gev_debug gev_debug_v1;

/* The list of hubs. Any OS thread. */
void gev__hubs_add(struct gev__hub *h);
void gev__hubs_remove(struct gev__hub *h);
/* In a forked child: only this one is left. */
void gev__hubs_forked(struct gev__hub *h);

#endif
