/* Mutexes of the other kinds: robust, priority-inheriting or -protecting, shared between processes.
 *
 * Their state is a protocol with the kernel or with other processes, so what is written into them is libc's: everybody
 * tries by libc's pthread_mutex_trylock, as himself, and unlocks by libc. Only how one waits differs:
 *
 *   of one process      in the lot, where every unlock of ours wakes one (and the end of a robust owner that is green)
 *   of several, or      a real thread waits for the word in the kernel (aside.h), as libc's lock would, and marks it
 *   robust, and held    as waited for; who gets the mutex after that keeps the mark, because others may wait in the
 *   by a real thread    kernel still
 *
 * A priority-inheriting mutex of several processes cannot be waited for in the kernel: its word is a thread's number, and
 * that of a green thread is invented. There one tries again and again, up to a millisecond apart.
 *
 * A priority-protecting mutex raises its owner's priority: only a thread of a real-time class can lock it. libc would ask
 * the kernel for the caller's class, by the invented number; a green thread's is the one that it was told (sched.c). */
#include "shim/pthread/mutex.h"

#include <limits.h>
#include <linux/futex.h>

#include "shim/pthread/aside.h"
#include "shim/pthread/mutex_word.h"
#include "shim/pthread/shared_memory.h"
#include "shim/pthread/until.h"

/* Bits of __kind (nptl/pthreadP.h), and the ceiling's place in the lock word (PTHREAD_MUTEX_PRIO_CEILING_SHIFT). */
enum { TYPE = 3, ROBUST = 16, INHERITS = 32, PROTECTS = 64, SHARED = 128 };
enum { CEILING_SHIFT = 19, BELOW_CEILING = (1 << CEILING_SHIFT) - 1 };

static uint32_t *word_of(pthread_mutex_t *m)
{
	return (uint32_t *)(void *)&m->__data.__lock;
}

bool patch_mutex_plain_shared(const pthread_mutex_t *m)
{
	return (patch_mutex_kind(m) & ~(unsigned)TYPE) == SHARED;
}

static bool is_green(void)
{
	return patch_me.state != PATCH_FOREIGN && !patch_me.is_main;
}

/* ---- Priority protection ---- */

static unsigned ceiling_of(pthread_mutex_t *m)
{
	return __atomic_load_n(word_of(m), __ATOMIC_RELAXED) >> CEILING_SHIFT;
}

/* libc's pthread_mutex_trylock for a green thread; the words are those of libc's lock: 0, 1 and 2 below the ceiling. */
static int try_protected(pthread_mutex_t *m)
{
	unsigned type = patch_mutex_kind(m) & TYPE;
	if (type == PTHREAD_MUTEX_RECURSIVE_NP && patch_mutex_mine(m)) {
		if (m->__data.__count == UINT32_MAX)
			return EAGAIN;
		m->__data.__count++;
		return 0;
	}
	uint32_t free = ceiling_of(m) << CEILING_SHIFT;
	if (patch_me.policy == SCHED_OTHER || patch_me.priority > (int)ceiling_of(m))
		return EINVAL;
	if (!__atomic_compare_exchange_n(word_of(m), &free, free | 1, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
		return EBUSY;
	m->__data.__owner = patch_tid();
	m->__data.__nusers++;
	m->__data.__count = 1;
	return 0;
}

static int unlock_protected(pthread_mutex_t *m)
{
	unsigned type = patch_mutex_kind(m) & TYPE;
	if (type == PTHREAD_MUTEX_RECURSIVE_NP || type == PTHREAD_MUTEX_ERRORCHECK_NP) {
		if (!patch_mutex_mine(m))
			return EPERM;
		if (type == PTHREAD_MUTEX_RECURSIVE_NP && --m->__data.__count != 0)
			return 0;
	}
	m->__data.__owner = 0;
	m->__data.__nusers--;
	uint32_t seen = __atomic_fetch_and(word_of(m), ~(uint32_t)BELOW_CEILING, __ATOMIC_RELEASE);
	if ((seen & BELOW_CEILING) > 1)
		patch_wake_native(word_of(m), patch_mutex_kind(m) & SHARED ? FUTEX_WAKE : FUTEX_WAKE_PRIVATE);
	return 0;
}

/* ---- Try and unlock ---- */

static bool protected_by_green(const pthread_mutex_t *m)
{
	return (patch_mutex_kind(m) & PROTECTS) && patch_mutex_kind(m) <= (PROTECTS | SHARED | TYPE) && is_green();
}

int patch_mutex_try_other(pthread_mutex_t *m)
{
	/* The mark of one that was not repaired (nptl/pthreadP.h, PTHREAD_MUTEX_NOTRECOVERABLE). libc's trylock (2.36) says
	 * so once, and leaves the mutex locked. */
	enum { NOT_RECOVERABLE = INT_MAX - 1 };
	if ((patch_mutex_kind(m) & ROBUST) && __atomic_load_n(&m->__data.__owner, __ATOMIC_RELAXED) == NOT_RECOVERABLE)
		return ENOTRECOVERABLE;
	return protected_by_green(m) ? try_protected(m) : real.pthread_mutex_trylock(m);
}

int patch_mutex_unlock_other(pthread_mutex_t *m)
{
	bool looked_for = patch_started && (patch_mutex_kind(m) & (SHARED | ROBUST)) != SHARED;
	int r = protected_by_green(m) ? unlock_protected(m) : real.pthread_mutex_unlock(m);
	if (r == 0 && looked_for)
		patch_gev->lot_wake(m, 1, 0); /* by its address: the object may be gone */
	return r;
}

/* ---- Wait ---- */

struct trying {
	pthread_mutex_t *m;
	int result;
};

static bool still_busy(void *arg)
{
	struct trying *t = arg;
	t->result = patch_mutex_try_other(t->m);
	return t->result == EBUSY;
}

/* The kernel sees a real thread end, and wakes only those who wait in the kernel. */
static bool owner_is_real(pthread_mutex_t *m)
{
	uint32_t owner = __atomic_load_n(word_of(m), __ATOMIC_RELAXED) & FUTEX_TID_MASK;
	return owner != 0 && owner < PATCH_FIRST_INVENTED && owner != (uint32_t)getpid();
}

/* libc calls every robust mutex shared (nptl/pthread_mutex_init.c): the kernel wakes its waiters as if it were. */
static bool waits_in_kernel(pthread_mutex_t *m)
{
	unsigned kind = patch_mutex_kind(m);
	return kind & ROBUST ? owner_is_real(m) || patch_memory_shared(m) : (kind & SHARED) != 0;
}

/* Marks it as waited for, and waits until it is unlocked, or for nothing. 0, -EAGAIN: no thread for it. */
static int wait_word(pthread_mutex_t *m, int64_t deadline)
{
	unsigned kind = patch_mutex_kind(m);
	uint32_t owned = kind & ROBUST ? FUTEX_TID_MASK : BELOW_CEILING;
	uint32_t seen = __atomic_load_n(word_of(m), __ATOMIC_RELAXED), next;
	do {
		if ((seen & owned) == 0)
			return 0;
		next = kind & ROBUST ? seen | FUTEX_WAITERS : (seen & ~owned) | 2;
	} while (!__atomic_compare_exchange_n(word_of(m), &seen, next, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
	int r = patch_aside_futex(word_of(m), next, FUTEX_BITSET_MATCH_ANY, deadline, GEV_PARK_PLAIN);
	return r == -EAGAIN ? r : 0;
}

/* Others may still wait in the kernel: the next unlock must wake one. */
static void keep_mark(pthread_mutex_t *m)
{
	unsigned kind = patch_mutex_kind(m);
	uint32_t seen = __atomic_load_n(word_of(m), __ATOMIC_RELAXED), next;
	do
		next = kind & ROBUST ? seen | FUTEX_WAITERS : (seen & ~(uint32_t)BELOW_CEILING) | 2;
	while (!__atomic_compare_exchange_n(word_of(m), &seen, next, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
}

static int lock_native(pthread_mutex_t *m, clockid_t clock, const struct timespec *until)
{
	return until ? real.pthread_mutex_clocklock(m, clock, until) : real.pthread_mutex_lock(m);
}

int patch_mutex_lock_other(pthread_mutex_t *m, clockid_t clock, const struct timespec *until)
{
	unsigned kind = patch_mutex_kind(m);
	if (!patch_started || (patch_self() == NULL && waits_in_kernel(m) && !(kind & INHERITS)))
		return lock_native(m, clock, until);
	/* What pthread_mutex_lock says and pthread_mutex_trylock does not. */
	if ((kind & TYPE) == PTHREAD_MUTEX_ERRORCHECK_NP && patch_mutex_mine(m))
		return EDEADLK;
	int64_t step = 0;
	bool marked = false;
	struct trying t = {.m = m, .result = patch_mutex_try_other(m)};
	while (t.result == EBUSY) {
		if (until && !patch_time_ok(until))
			return EINVAL;
		if (until && patch_reached(clock, until))
			return ETIMEDOUT;
		int64_t deadline = patch_until(clock, until);
		if (!waits_in_kernel(m)) {
			unsigned flags = GEV_PARK_PLAIN | GEV_ON_MUTEX;
			if (patch_gev->lot_wait(m, still_busy, NULL, &t, deadline, flags, NULL) == -EAGAIN)
				break;
		} else if ((kind & INHERITS) || wait_word(m, deadline) == -EAGAIN) {
			patch_nap(&step, deadline, GEV_PARK_PLAIN);
		} else {
			marked = true;
		}
		t.result = patch_mutex_try_other(m); /* also when the time is up: an unlock may have chosen us */
	}
	if (marked && (t.result == 0 || t.result == EOWNERDEAD))
		keep_mark(m);
	return t.result;
}

/* ---- The ceiling ---- */

/* libc's would wait in the kernel for a mutex that a green thread holds. */
int patch_pthread_mutex_setprioceiling(pthread_mutex_t *m, int ceiling, int *old)
{
	if (!patch_started || !(patch_mutex_kind(m) & PROTECTS) || patch_mutex_mine(m))
		return real.pthread_mutex_setprioceiling(m, ceiling, old);
	for (int64_t step = 0; __atomic_load_n(word_of(m), __ATOMIC_RELAXED) & BELOW_CEILING;)
		patch_nap(&step, GEV_NEVER, GEV_PARK_PLAIN);
	return real.pthread_mutex_setprioceiling(m, ceiling, old);
}
EXPORT(pthread_mutex_setprioceiling);
