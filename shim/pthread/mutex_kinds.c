/* Mutexes of the other kinds: robust, priority-inheriting or -protecting, shared between processes.
 *
 * Their state is a protocol with the kernel or with other processes, so every operation on them is libc's own. A
 * greenlet may not wait in libc: it tries, and naps, until it gets the mutex. An OS thread waits in libc, except for
 * a priority-inheriting mutex: there libc would hand the kernel the owner's number, and that of a green thread is
 * invented. What follows from the polling: no order among waiters, and up to a millisecond between the unlock and the
 * next lock.
 *
 * A priority-protecting mutex cannot be locked by a green thread: libc asks the kernel for the caller's priority, by
 * the invented number, and hands on its ESRCH. (Natively only a real-time thread can, and that one is real here too.)
 */
#include "shim/pthread/mutex.h"
#include "shim/pthread/until.h"

enum { INHERITS = 32 }; /* the bit of __kind (nptl/pthreadP.h, PTHREAD_MUTEX_PRIO_INHERIT_NP) */

static bool is_mine(const pthread_mutex_t *m)
{
	return m->__data.__owner == patch_tid();
}

static int lock_native(pthread_mutex_t *m, clockid_t clock, const struct timespec *until)
{
	return until ? real.pthread_mutex_clocklock(m, clock, until) : real.pthread_mutex_lock(m);
}

int patch_mutex_lock_other(pthread_mutex_t *m, clockid_t clock, const struct timespec *until)
{
	bool inherits = (patch_mutex_kind(m) & INHERITS) && patch_started;
	if (patch_green() == NULL && !inherits)
		return lock_native(m, clock, until);
	/* What pthread_mutex_lock says and pthread_mutex_trylock does not. */
	if ((patch_mutex_kind(m) & 3) == PTHREAD_MUTEX_ERRORCHECK_NP && is_mine(m))
		return EDEADLK;
	int64_t step = 0;
	for (;;) {
		int r = real.pthread_mutex_trylock(m);
		if (r != EBUSY)
			return r;
		if (until && !patch_time_ok(until))
			return EINVAL;
		if (until && patch_reached(clock, until))
			return ETIMEDOUT;
		patch_nap(&step, patch_until(clock, until), GEV_PARK_PLAIN);
	}
}
