/* lock.h: a lock for a few instructions, between OS threads. Never held across a park; hubs are not interrupted while they hold one. */
#ifndef GEV_BASE_LOCK_H
#define GEV_BASE_LOCK_H

#include <features.h>
#include <stdbool.h>
#if __GLIBC_PREREQ(2, 32)
#include <sys/single_threaded.h>
#endif

struct gev__lock {
	bool held;
};

/* While the process has one OS thread nobody can come between a look and a store but a signal handler, which is done when the thread goes on; and the
 * first other thread sees what was stored before it was made. An exchange takes 5 ns (a hand-off has two: 27 ns with them, 17 without). The C library says
 * so of itself (sys/single_threaded.h; the GNU C Library manual, "Single-Threaded"). */
static inline bool gev__single_threaded(void)
{
#if __GLIBC_PREREQ(2, 32)
	return __libc_single_threaded;
#else
	return false;
#endif
}

static inline bool gev__trylock(struct gev__lock *l)
{
	if (!gev__single_threaded())
		return !__atomic_exchange_n(&l->held, true, __ATOMIC_ACQUIRE);
	if (__atomic_load_n(&l->held, __ATOMIC_RELAXED))
		return false;
	__atomic_store_n(&l->held, true, __ATOMIC_RELAXED);
	return true;
}

/* Somebody else has it. */
void gev__lock_slowly(struct gev__lock *l);

static inline void gev__lock(struct gev__lock *l)
{
	if (__builtin_expect(!gev__trylock(l), 0))
		gev__lock_slowly(l);
}

static inline void gev__unlock(struct gev__lock *l)
{
	__atomic_store_n(&l->held, false, __ATOMIC_RELEASE);
}

#endif
