/* random.h: what the parts of the random scheduler test share.
 *
 * Many actors (greenlets) each do a random number of random steps: spawn, join, kill, sleep, park, wake, wait in the lot, wait for
 * descriptors, close them, fork. Beside the runtime runs a model of what must be true, and every step compares the two.
 *
 * Time is virtual (virtual.c), so a run depends on its seed alone: a failure prints the seed, and that seed does the same again. */
#ifndef TESTS_RANDOM_H
#define TESTS_RANDOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <gev/embed.h>
#include <gev/gev.h>

#include "tests/random/rng.h"

#define US INT64_C(1000)
#define MS INT64_C(1000000)

/* ---- The world ---- */

enum { ACTORS = 192, ADDRESSES = 6, CHANNELS = 8, STRETCHES = 3, LOCALS = 5 };

/* What is deliberately done wrong, to show that the test would notice (--fault). */
enum fault {
	FAULT_NONE,
	FAULT_LOSE_WAKE,
	FAULT_WAKE_TWO,
	FAULT_EARLY,
	FAULT_VALUE,
	FAULT_LEAK_FD,
	FAULT_LEAK_MEMORY,
	FAULT_ORDER,
	FAULT_FORGET_KILL,
	FAULT_STALE_FD,
	FAULT_ERRNO,
	FAULT_TIMEOUT,
	FAULT_DEFER,
	FAULT_LINK,
	FAULT_LOCAL,
	FAULTS
};

struct world {
	uint64_t seed;
	uint64_t steps; /* done so far */
	uint64_t end;   /* no actor begins a step after so many */
	uint64_t round_end;
	bool stopping; /* the round is over: everybody goes home */
	bool trace;
	bool virtual_time;
	enum fault fault;
	uint64_t digest; /* of everything that happened: equal for equal seeds */
	const char *only;
	const struct gev_embed *rt;
	uint64_t done[64]; /* steps of each kind */
};

extern struct world world;

/* When something will be over: the runtime takes the time between the two moments that the model knows. */
struct limit {
	int64_t earliest, latest;
};

struct stretch {
	struct gev_timeout timeout;
	struct limit over;
	bool open;
	bool shielded; /* begun in a shield */
};

struct actor {
	bool used;
	bool begun;
	bool ended; /* its function is about to return, or never will be called */
	bool own;   /* an identity of its own */
	bool waits; /* for gev_start */
	bool held;  /* there is a handle of it, for whoever wants to join, kill or release it */
	bool killed;
	int64_t killed_at;
	bool shielded;
	unsigned borrowed; /* more handles, of those who join it just now */
	uint64_t serial;
	struct gev_greenlet *g;
	uintptr_t value; /* what a join must find */
	int error;       /* and gev_error */
	int64_t not_before;
	struct rng rng;
	const char *doing;
	int64_t since;
	/* direct park and wake */
	bool parked;
	bool poked;
	int64_t poked_at;
	unsigned wakes; /* how many it may still have to swallow */
	struct stretch stretches[STRETCHES];
	unsigned defers;    /* registered, and not run yet */
	bool ends_by_defer; /* actors_leave is one more, the last to run */
	struct value *values[LOCALS];
	uint64_t generations[LOCALS];
};

extern struct actor actors[ACTORS];
extern unsigned population;

struct op {
	const char *name;
	unsigned weight;
	void (*step)(struct actor *a);
};

extern const struct op ops[];

/* ---- Services ---- */

/* Ends the test with the seed, the last events and who is doing what. */
void fail(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));
#define check(condition, ...) ((condition) ? (void)0 : fail(__VA_ARGS__))

/* Enters into the trace and the digest. */
void note(const char *what, uint64_t a, int64_t b);

int64_t now_ns(void);
void virtual_start(bool yes);
/* In a forked child, whose hub makes a timer of its own. */
void virtual_forked(void);
/* The time that a step is made to take. */
void virtual_pass(int64_t ns);
/* No step of the runtime may answer later than this (virtual time) after it could. */
#define LATE_AT_MOST (40 * MS)

/* A random deadline: mostly soon, sometimes past, sometimes never. */
int64_t random_deadline(struct rng *r);
/* Flags for a wait: killable or not. */
unsigned random_flags(struct rng *r);
/* Holds the result of a wait of the running actor against what it is allowed to be. */
static inline bool is_mortal(const struct actor *a)
{
	return a->killed && !a->shielded;
}
void check_wait(const struct actor *a, int result, int64_t deadline, unsigned flags);
/* When a wait with these flags may end, and must, because of the actor's timeouts. */
struct limit limit_of(const struct actor *a, unsigned flags);
bool may_be_over(const struct actor *a);
/* Such an error comes at once, but by the budget after a turn of the others; who is killed by one of them learns it with his next wait. */
bool was_killed_late(const struct actor *a);

/* A round has a mood: some steps are taken often, some not at all. */
void actors_mood(struct rng *r);
void actors_spawn(struct rng *r);
void actors_verify(void);
/* Somebody of whom there is a handle; NULL if the dice find nobody. */
struct actor *actors_pick(struct rng *r, const struct actor *but);
/* What the actor with that serial number leaves, if it ends well. */
uintptr_t actors_value(uint64_t serial);
/* Some steps of an actor that is shielded, or will be shielded by the caller. */
void actors_in_shield(struct actor *a, unsigned steps);
/* Its function is over, or never will run. Afterwards another may have its place. */
void actors_leave(void *actor);
/* Starts those who wait for it and joins those who have ended, when nobody else does. */
void actors_reap(void);
/* The round is over: joins and releases until nobody is left. */
void actors_finish(void);

void lot_finish(void);
void park_finish(void);
void fd_begin(void);
void fd_finish(void);
void fd_verify(void);
/* Makes room for those who wait to write, and writes a byte for each who waits to read. */
void fd_help(void);
void end_begin(struct rng *r);
void end_finish(void);

/* ---- Steps ---- */

void step_yield(struct actor *a);
void step_sleep(struct actor *a);
void step_park(struct actor *a);
void step_wake(struct actor *a);
void step_order(struct actor *a);
void step_spawn(struct actor *a);
void step_join(struct actor *a);
void step_release(struct actor *a);
void step_kill(struct actor *a);
void step_killall(struct actor *a);
void step_joinall(struct actor *a);
void step_start(struct actor *a);
void step_shield(struct actor *a);
void step_lot_wait(struct actor *a);
void step_lot_wake(struct actor *a);
void step_lot_wake_one(struct actor *a);
void step_lot_requeue(struct actor *a);
void step_fd_read(struct actor *a);
void step_fd_write(struct actor *a);
void step_fd_close(struct actor *a);
void step_fds_wait(struct actor *a);
void step_recv(struct actor *a);
void step_send(struct actor *a);
void step_fork(struct actor *a);
void step_compute(struct actor *a);
void step_timeout(struct actor *a);
void step_timeout_end(struct actor *a);
void step_be_late(struct actor *a);
void step_defer(struct actor *a);
void step_link(struct actor *a);
void step_unlink(struct actor *a);
void step_local(struct actor *a);
void step_local_anew(struct actor *a);

#endif
