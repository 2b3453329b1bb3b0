/* Waiting for a lock. */
#include "lib/base/lock.h"

#include "lib/base/sys.h"

void gev__lock_slowly(struct gev__lock *l)
{
	int spins = 0;
	do {
		while (__atomic_load_n(&l->held, __ATOMIC_RELAXED)) {
			/* The holder may have lost its processor. */
			if (++spins % 128 == 0)
				gev__sys.sched_yield();
		}
	} while (!gev__trylock(l));
}
