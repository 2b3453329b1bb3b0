/* Mutexes of the ordinary kinds: normal, recursive, error-checking, adaptive, with and without a deadline.
 *
 * The state lies in the program's own object, in libc's layout: __lock (mutex_word.h), __owner, __count, __nusers.
 * libc's own pthread_mutex_init and pthread_mutex_destroy serve. Before the runtime has started, libc's lock does the
 * waiting. */
#include "shim/pthread/mutex.h"

#include "shim/pthread/mutex_word.h"
#include "shim/pthread/until.h"

enum { ROBUST = 16 }; /* the bit of __kind (nptl/pthreadP.h, PTHREAD_MUTEX_ROBUST_NORMAL_NP) */

static int lock_until(pthread_mutex_t *m, clockid_t clock, const struct timespec *until)
{
	for (;;) {
		int r = patch_word_wait(m, patch_until(clock, until));
		if (r == 0)
			return 0;
		if (patch_reached(clock, until))
			return ETIMEDOUT;
	}
}

/* libc's own, which knows how to wait without a runtime. */
static int lock_native(pthread_mutex_t *m, clockid_t clock, const struct timespec *until)
{
	__atomic_fetch_add(&patch_native_waiters, 1, __ATOMIC_SEQ_CST);
	int r = until ? real.pthread_mutex_clocklock(m, clock, until) : real.pthread_mutex_lock(m);
	__atomic_fetch_sub(&patch_native_waiters, 1, __ATOMIC_SEQ_CST);
	return r;
}

/* ---- Lock ---- */

static inline void own(pthread_mutex_t *m)
{
	m->__data.__owner = patch_tid();
	m->__data.__nusers++;
}

/* For the kinds that know their owner. -1: not locked by the caller. */
static int lock_again(pthread_mutex_t *m, unsigned kind)
{
	if (kind == PTHREAD_MUTEX_ERRORCHECK_NP)
		return patch_mutex_mine(m) ? EDEADLK : -1;
	if (kind != PTHREAD_MUTEX_RECURSIVE_NP || !patch_mutex_mine(m))
		return -1;
	if (m->__data.__count == UINT32_MAX)
		return EAGAIN;
	m->__data.__count++;
	return 0;
}

static __attribute__((noinline)) int lock_contended(pthread_mutex_t *m, clockid_t clock, const struct timespec *until)
{
	if (!__atomic_load_n(&patch_started, __ATOMIC_ACQUIRE))
		return lock_native(m, clock, until);
	if (until && !patch_time_ok(until))
		return EINVAL;
	int r = until ? lock_until(m, clock, until) : patch_word_wait(m, GEV_NEVER);
	if (r)
		return r;
	if (patch_mutex_kind(m) == PTHREAD_MUTEX_RECURSIVE_NP)
		m->__data.__count = 1;
	own(m);
	return 0;
}

static inline int lock(pthread_mutex_t *m, clockid_t clock, const struct timespec *until)
{
	unsigned kind = patch_mutex_kind(m);
	if (unlikely(kind != PTHREAD_MUTEX_TIMED_NP)) {
		if (kind > PTHREAD_MUTEX_ADAPTIVE_NP)
			return patch_mutex_lock_other(m, clock, until);
		int r = lock_again(m, kind);
		if (r >= 0)
			return r;
	}
	if (unlikely(!patch_word_take(m)))
		return lock_contended(m, clock, until);
	if (kind == PTHREAD_MUTEX_RECURSIVE_NP)
		m->__data.__count = 1;
	own(m);
	return 0;
}

int patch_pthread_mutex_lock(pthread_mutex_t *m)
{
	return lock(m, CLOCK_REALTIME, NULL);
}
EXPORT(pthread_mutex_lock);
EXPORT_AS(__pthread_mutex_lock, pthread_mutex_lock);

int patch_pthread_mutex_timedlock(pthread_mutex_t *m, const struct timespec *until)
{
	return lock(m, CLOCK_REALTIME, until);
}
EXPORT(pthread_mutex_timedlock);

int patch_pthread_mutex_clocklock(pthread_mutex_t *m, clockid_t clock, const struct timespec *until)
{
	if (!patch_clock_ok(clock))
		return EINVAL;
	return lock(m, clock, until);
}
EXPORT(pthread_mutex_clocklock);

int patch_pthread_mutex_trylock(pthread_mutex_t *m)
{
	unsigned kind = patch_mutex_kind(m);
	if (unlikely(kind > PTHREAD_MUTEX_ADAPTIVE_NP))
		return patch_mutex_try_other(m);
	if (kind == PTHREAD_MUTEX_RECURSIVE_NP) {
		int r = lock_again(m, kind);
		if (r >= 0)
			return r;
	}
	if (!patch_word_take(m))
		return EBUSY;
	if (kind == PTHREAD_MUTEX_RECURSIVE_NP)
		m->__data.__count = 1;
	own(m);
	return 0;
}
EXPORT(pthread_mutex_trylock);
EXPORT_AS(__pthread_mutex_trylock, pthread_mutex_trylock);

/* ---- Unlock ---- */

int patch_mutex_check(const pthread_mutex_t *m)
{
	unsigned kind = patch_mutex_kind(m);
	if (kind == PTHREAD_MUTEX_RECURSIVE_NP)
		return patch_mutex_mine(m) ? 0 : EPERM;
	if (kind == PTHREAD_MUTEX_ERRORCHECK_NP)
		return patch_mutex_mine(m) && __atomic_load_n(&m->__data.__lock, __ATOMIC_RELAXED) != PATCH_WORD_FREE
			     ? 0
			     : EPERM;
	if (kind > PTHREAD_MUTEX_ADAPTIVE_NP &&
	    (kind & (PTHREAD_MUTEX_RECURSIVE_NP | PTHREAD_MUTEX_ERRORCHECK_NP | ROBUST)))
		return patch_mutex_mine(m) ? 0 : EPERM;
	return 0;
}

int patch_pthread_mutex_unlock(pthread_mutex_t *m)
{
	unsigned kind = patch_mutex_kind(m);
	if (unlikely(kind != PTHREAD_MUTEX_TIMED_NP)) {
		if (kind > PTHREAD_MUTEX_ADAPTIVE_NP)
			return patch_mutex_unlock_other(m);
		int r = patch_mutex_check(m);
		if (r)
			return r;
		if (kind == PTHREAD_MUTEX_RECURSIVE_NP && --m->__data.__count != 0)
			return 0;
	}
	m->__data.__owner = 0;
	m->__data.__nusers--;
	patch_word_give(m);
	return 0;
}
EXPORT(pthread_mutex_unlock);
EXPORT_AS(__pthread_mutex_unlock, pthread_mutex_unlock);

/* ---- Around a wait on a condition ---- */

void patch_mutex_leave(pthread_mutex_t *m)
{
	unsigned kind = patch_mutex_kind(m);
	if (kind > PTHREAD_MUTEX_ADAPTIVE_NP) {
		patch_mutex_unlock_other(m);
		return;
	}
	if (kind == PTHREAD_MUTEX_RECURSIVE_NP && --m->__data.__count != 0)
		return; /* locked twice: it stays locked, as with libc */
	m->__data.__owner = 0;
	patch_word_give(m);
}

int patch_mutex_return(pthread_mutex_t *m)
{
	int r = lock(m, CLOCK_REALTIME, NULL);
	if (r == 0 && patch_mutex_ours(m) &&
	    !(patch_mutex_kind(m) == PTHREAD_MUTEX_RECURSIVE_NP && m->__data.__count > 1))
		m->__data.__nusers--;
	return r;
}
