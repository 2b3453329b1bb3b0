/* deadlock.h: whether a hub whose OS thread is about to sleep without end will ever run again. */
#ifndef GEV_CORE_DEADLOCK_H
#define GEV_CORE_DEADLOCK_H

#include <stdbool.h>
#include <stdint.h>

struct gev__hub;

/* A park's flag: something outside may end this wait, a descriptor or another OS thread, of which the hub's timers know nothing. */
enum { GEV__PARK_OUTSIDE = 8 };

/* OS threads of our own (the offload's, the watcher's) that wake a greenlet only while one waits with GEV__PARK_OUTSIDE. Atomic. */
extern long gev__helper_threads;

/* Nobody is ready and there is no timer. Whether nothing can wake any of h's greenlets, and main waits where it may be told so. False with *until: not certain yet, as
 * long as there are other OS threads, or for a moment; then the hub asks again, if nothing happens until then. */
bool gev__deadlocked(struct gev__hub *h, int64_t *until);

#endif
