/* picture.h: all greenlets at one moment, as seen by the watcher's thread while the program runs on. */
#ifndef GEV_WATCH_PICTURE_H
#define GEV_WATCH_PICTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "gev/embed.h"
#include "lib/core/greenlet.h"

enum gev__waits_for {
	GEV__FOR_NOTHING, /* it runs, or is ready */
	GEV__FOR_FD,
	GEV__FOR_FDS,
	GEV__FOR_OBJECT, /* on the parking lot: kind, object */
	GEV__FOR_TIME,
	GEV__FOR_EVENT, /* none of these: a signal, a child, a wake */
};

enum { GEV__FEW = 3 };

struct gev__seen {
	uint32_t id;
	uint32_t creator;
	uint32_t owner; /* id of who holds the object, or whose end it is; 0: not known, or nobody */
	enum gev__state state;
	enum gev__waits_for waits_for;
	const struct gev_greenlet *g;
	const void *entry;
	const void *object;
	unsigned kind; /* GEV_ON_... */
	int fd;
	int way;           /* GEV_READABLE | GEV_WRITABLE; 0: other */
	int fds;           /* how many descriptors; or how many ends, with GEV_ON_GREENLET */
	int few[GEV__FEW]; /* of several, the first */
	int number;
	bool is_main;
	bool own_identity;
	bool outside; /* what it waits for comes from another OS thread */
	int hub;
	pid_t tid; /* of the hub's OS thread */
	int64_t since;
	int64_t deadline; /* GEV_NEVER: none */
	int64_t ran, cpu;
	uint64_t switches;
	const void *ends; /* who waits for its end */
	char *lo, *hi;    /* of the stack; NULL: the OS thread's */
	/* Where it stands when it does not run. */
	uintptr_t pc, sp, fp;
	uintptr_t tp;
	uint32_t seq; /* of its record when it was seen */
	uint32_t index;
	char name[16];
};

struct gev__hub_seen {
	pid_t tid;
	bool asleep; /* waits for the outside world */
	size_t live;
	size_t ready;
	bool timers;
};

struct gev__picture {
	int64_t at;
	struct gev__seen *seen; /* by id */
	size_t n;
	struct gev__hub_seen *hubs;
	size_t hubs_n;
	bool partial; /* some greenlets moved too fast, or a lock stayed taken */
};

/* With the hubs locked (record.h), and for as long as they stay so. -ENOMEM. */
int gev__picture_take(struct gev__picture *p);
void gev__picture_done(struct gev__picture *p);

/* NULL: it is not there. */
const struct gev__seen *gev__picture_find(const struct gev__picture *p, uint32_t id);
/* Whether it has not moved since. */
bool gev__seen_still(const struct gev__seen *s);

#endif
