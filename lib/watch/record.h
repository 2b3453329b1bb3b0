/* record.h: what a watcher keeps of each greenlet and of each hub, and the hooks that fill it.
 *
 * A record is written by its hub's OS thread only, and read by the watcher's thread without a lock: seq is odd while it changes, and the
 * reader tries again when it has moved. Records lie in chunks that are never given back, so a reader may hold a stale one.
 * A greenlet's control block stays readable as long as its hub exists: that is what gev__hubs_lock holds still. */
#ifndef GEV_WATCH_RECORD_H
#define GEV_WATCH_RECORD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "gev/embed.h"
#include "lib/core/hub.h"

struct gev__record {
	uint32_t seq; /* atomic */
	uint32_t id;  /* 1, 2, ... in the order of creation; 0: nobody */
	uint32_t creator;
	uint32_t index; /* its place among the records */
	struct gev_greenlet *g;
	const void *entry; /* the function that it runs */
	int number;        /* what libc takes for its thread number */
	uint32_t deepest;  /* bytes of stack in use at a switch */
	int64_t made_at;
	int64_t since; /* when it last stopped running; 0: not yet, or nobody looks at the clock */
	int64_t ran;   /* how long it was the one that runs */
	int64_t cpu;   /* and what its OS thread computed meanwhile (gev__cpu_of_run) */
	uint64_t switches;
	uint64_t parks;
	struct gev__record *next_free;
};

struct gev__watched_hub {
	struct gev__hub *h; /* NULL: the place is free */
	pid_t tid;
	int64_t at;        /* of the last event */
	int64_t turned_at; /* since when its greenlets run without a look outside */
	int64_t cpu_at;    /* what the OS thread's clock of CPU time said when it was last looked at */
	int64_t cpu_since; /* and what has been given to greenlets since */
	uint64_t turns;
	uint64_t switches;
};

enum { GEV__HUBS = 64 };
extern struct gev__watched_hub gev__hubs[GEV__HUBS];

/* While it is held no hub goes, and no control block with it. For the watcher's thread. */
void gev__hubs_lock(void);
void gev__hubs_unlock(void);

/* How many places there are, and one of them. */
uint32_t gev__records_n(void);
struct gev__record *gev__record_at(uint32_t index);

/* How much of its CPU time the OS thread has spent on a run of `took` nanoseconds that ends now, the clock of its CPU time saying cpu_now. */
int64_t gev__cpu_of_run(const struct gev__watched_hub *w, int64_t took, int64_t cpu_now);

/* As gev_embed.watch_self says. */
bool gev__watch_self(struct gev_watch_self *out);

/* Over all hubs since the start. */
struct gev__totals {
	uint64_t made;
	uint64_t live;
	uint64_t peak;
	uint64_t switches;
	uint64_t turns;
	int64_t longest_turn; /* between two looks outside */
	int64_t longest_run;  /* of one greenlet without a switch, and whose */
	uint32_t longest_id;
	const void *longest_entry;
	char longest_name[16];
};
void gev__totals(struct gev__totals *out);

/* Greenlets by the function that they run. */
struct gev__by_entry {
	const void *entry;
	uint64_t made;
	uint32_t deepest;
};
enum { GEV__ENTRIES = 256 };
/* The first GEV__ENTRIES functions seen; how many. */
uint32_t gev__by_entry(struct gev__by_entry out[GEV__ENTRIES]);

/* The hooks are set. timed: with the times and counts of every switch, which costs a look at the clock each. began is called for every hub,
 * by its OS thread, when it is made, and in a forked child at its first event. */
void gev__records_start(bool timed, void (*began)(void));
bool gev__records_timed(void);

#endif
