/* lock.h: a lock for a few instructions, between OS threads. Nothing may park or be called under it that does. */
#ifndef PATCH_LOCK_H
#define PATCH_LOCK_H

#include "shim/base/real.h"

struct patch_lock {
	bool held; /* atomic */
};

static inline void patch_lock(struct patch_lock *lock)
{
	while (__atomic_exchange_n(&lock->held, true, __ATOMIC_ACQUIRE))
		real.sched_yield();
}

static inline void patch_unlock(struct patch_lock *lock)
{
	__atomic_store_n(&lock->held, false, __ATOMIC_RELEASE);
}

#endif
