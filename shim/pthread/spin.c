/* Spin locks. The word and every operation on it are libc's; only who finds it taken does not spin: the holder may be
 * a thread that cannot run before the caller steps aside. */
#include "shim/pthread/thread.h"
#include "shim/pthread/until.h"

int patch_pthread_spin_lock(pthread_spinlock_t *lock)
{
	/* The holder may be ready to run; if he is not after a few turns, he waits for something outside. */
	enum { TURNS = 16 };
	int64_t step = 0;
	for (int turn = 0; pthread_spin_trylock(lock); turn++) {
		if (!patch_started)
			return real.pthread_spin_lock(lock);
		if (patch_green() == NULL)
			real.sched_yield();
		else if (turn < TURNS)
			patch_gev->yield();
		else
			patch_nap(&step, GEV_NEVER, GEV_PARK_PLAIN);
	}
	return 0;
}
EXPORT(pthread_spin_lock);
