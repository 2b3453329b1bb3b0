/* lock.h: a lock for a few instructions, between OS threads. Never held across a park; hubs are not interrupted while they hold one. */
#ifndef GEV_BASE_LOCK_H
#define GEV_BASE_LOCK_H

#include <stdbool.h>

#include "lib/base/sys.h"

struct gev__lock {
	bool held;
};

static inline void gev__lock(struct gev__lock *l)
{
	int spins = 0;
	while (__builtin_expect(__atomic_exchange_n(&l->held, true, __ATOMIC_ACQUIRE), 0)) {
		while (__atomic_load_n(&l->held, __ATOMIC_RELAXED)) {
			/* The holder may have lost its processor. */
			if (++spins % 128 == 0)
				gev__sys.sched_yield();
		}
	}
}

static inline bool gev__trylock(struct gev__lock *l)
{
	return !__atomic_exchange_n(&l->held, true, __ATOMIC_ACQUIRE);
}

static inline void gev__unlock(struct gev__lock *l)
{
	__atomic_store_n(&l->held, false, __ATOMIC_RELEASE);
}

#endif
