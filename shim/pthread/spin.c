/* Spin locks. The word and every operation on it are libc's; only who finds it taken does not spin: the holder may be
 * a thread that cannot run before the caller steps aside.
 *
 * Who waits is counted, by the lock's address, and whoever unlocks while somebody waits wakes him and steps aside. A holder that takes the
 * lock again and again would otherwise have it whenever a time slice ends: the others would be let in by chance alone. */
#include <stdbool.h>
#include <stdint.h>

#include "shim/pthread/thread.h"
#include "shim/pthread/until.h"

enum { SLOTS = 64 };

/* Locks that share a slot only make one another step aside for nothing; so does what a forked child inherits. */
static unsigned waiting[SLOTS];

static unsigned *slot(const pthread_spinlock_t *lock)
{
	return &waiting[(uintptr_t)lock / sizeof *lock % SLOTS];
}

static bool still_taken(void *lock)
{
	return pthread_spin_trylock(lock) != 0;
}

/* A holder that is no green thread of ours, or another process's, wakes nobody: so look again soon. */
static int wait(pthread_spinlock_t *lock)
{
	enum { FIRST = 20000, LAST = 1000000 };
	int r;
	unsigned *count = slot(lock);
	void *name = (void *)lock; /* the type says volatile: libc reads it so */
	__atomic_add_fetch(count, 1, __ATOMIC_SEQ_CST);
	int64_t step = FIRST;
	do {
		if (patch_green()) {
			r = patch_gev->lot_wait(name, still_taken, NULL, name, patch_now() + step, GEV_PARK_PLAIN,
						NULL);
			step = step < LAST / 2 ? step * 2 : LAST;
		} else {
			real.sched_yield();
			r = -ETIMEDOUT;
		}
	} while (r != -EAGAIN && still_taken(name));
	__atomic_sub_fetch(count, 1, __ATOMIC_SEQ_CST);
	return 0;
}

int patch_pthread_spin_lock(pthread_spinlock_t *lock)
{
	if (likely(pthread_spin_trylock(lock) == 0))
		return 0;
	return patch_started ? wait(lock) : real.pthread_spin_lock(lock);
}
EXPORT(pthread_spin_lock);

int patch_pthread_spin_unlock(pthread_spinlock_t *lock)
{
	int r = real.pthread_spin_unlock(lock);
	if (unlikely(__atomic_load_n(slot(lock), __ATOMIC_SEQ_CST))) {
		patch_gev->lot_wake((void *)lock, 1, 0);
		if (patch_green())
			patch_gev->yield();
	}
	return r;
}
EXPORT(pthread_spin_unlock);
