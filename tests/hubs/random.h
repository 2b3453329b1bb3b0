/* random.h: the random test of several hubs: what its two files share.
 *
 * Hubs come and go, each on an OS thread, with greenlets that do random steps; besides, plain OS threads do those of the steps that need no hub. What they
 * share are handles, semaphores in the parking lot, pipes, and descriptors that anybody closes. Order between OS threads is the kernel's, so a seed says
 * what is chosen and not what happens; what must be true is true in every order. */
#ifndef TESTS_HUBS_RANDOM_H
#define TESTS_HUBS_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

#include <gev/embed.h>
#include <gev/gev.h>

#include "tests/random/rng.h"

enum { HUBS = 3, PLAIN = 2, MOST_LIVES = 4096 };

enum fault { FAULT_NONE, FAULT_VALUE, FAULT_LOSE, FAULT_TWICE, FAULT_ITEM, FAULTS };

/* One hub's, from the begin of its OS thread to the end; only that thread touches it, but for `over`. */
struct life {
	int number;
	struct rng rng;
	long steps_left;
	unsigned begun, ended; /* actors, without those who only sleep */
	unsigned links, linked;
	unsigned defers, deferred;
	bool own;  /* identities can be had */
	bool over; /* atomic: its OS thread ends, and whoever has not ended by now never will */
};

struct world {
	uint64_t seed;
	long steps; /* of each hub */
	enum fault fault;
	const struct gev_embed *rt;
	struct life lives[MOST_LIVES]; /* number 0 stands for the plain threads */
	int wanted[HUBS];              /* atomic: greenlets that others want to be made there */
	uint64_t serials;              /* atomic */
	bool over;                     /* atomic: the hubs have gone */
};

extern struct world world;

/* Who does a step. */
struct doer {
	struct rng rng;
	struct life *life;
	bool on_hub;
};

void fail(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));
#define check(condition, ...) ((condition) ? (void)0 : fail(__VA_ARGS__))

/* What the greenlet with that serial number leaves. */
static inline void *value_of(uint64_t serial)
{
	return (void *)(uintptr_t)(serial * 2 + 1);
}

/* Makes a greenlet on this OS thread's hub, and shows its handle to everybody. */
void spawn_one(struct doer *me);
/* One random step. */
void step(struct doer *me);

void handles_end(void);
void things_begin(void);
void things_end(void);

/* ---- random_steps.c: what is not about handles ---- */

typedef void step_function(struct doer *me);
step_function step_semaphore, step_ask, step_answer, step_send, step_recv, step_poll, step_put, step_get, step_close,
	step_stale, step_offload, step_apart, step_local, step_timeout;

#endif
