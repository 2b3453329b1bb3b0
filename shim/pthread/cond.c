/* Condition variables.
 *
 * A waiter queues in the lot under the condition's address before it lets go of the mutex, so a signal between the
 * two finds it. The object itself carries one word, "somebody may wait", so that a signal that nobody waits for stays
 * a load and a branch. It is written under the lock of the queue; a waiter that was chosen never looks at the object
 * again: it may be destroyed as soon as a broadcast has returned.
 *
 * Conditions shared between processes are libc's. For a greenlet a real thread waits there (aside.h). Where it cannot,
 * because the mutex is robust and would become that thread's, or is of this process alone, the greenlet gives up the
 * mutex, naps, and returns as if woken for nothing, which POSIX allows at any time (pthread_cond_wait, RATIONALE); the
 * program's loop makes it a poll. Before the runtime has started every condition is libc's: no green thread waits, and nothing
 * changes.
 */
#include <limits.h>

#include "shim/pthread/aside.h"
#include "shim/pthread/cancel.h"
#include "shim/pthread/mutex.h"
#include "shim/pthread/mutex_word.h"
#include "shim/pthread/until.h"

/* ---- The object ---- */

/* Our word, "somebody may wait": one that libc's static initialiser leaves zero. libc's own waiters count in it, and
 * there are none once the runtime has started; what they have left behind is cleared by the first signal. */
static inline uint32_t *waited_for(pthread_cond_t *c)
{
	enum { INDEX = 4 };
	return (uint32_t *)(void *)c + INDEX;
}

/* libc keeps the attributes in a word of its own, as two bits (nptl/pthread_cond_common.c). Its place has moved
 * between versions (2.41), so it is looked for in an object that has both. */
enum { SHARED = 1, MONOTONIC = 2 };

static __attribute__((noinline)) unsigned find_flags(void)
{
	enum { WORDS = sizeof(pthread_cond_t) / sizeof(uint32_t) };
	pthread_condattr_t attr;
	pthread_cond_t probe;
	pthread_condattr_init(&attr);
	pthread_condattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&probe, &attr);
	unsigned at = 0;
	while (at < WORDS && ((uint32_t *)(void *)&probe)[at] != (SHARED | MONOTONIC))
		at++;
	pthread_cond_destroy(&probe);
	pthread_condattr_destroy(&attr);
	return at < WORDS ? at : offsetof(pthread_cond_t, __data.__wrefs) / sizeof(uint32_t);
}

static inline uint32_t flags_of(const pthread_cond_t *c)
{
	static unsigned index; /* atomic; never 0, where the first word of a sequence number lies */
	unsigned at = __atomic_load_n(&index, __ATOMIC_RELAXED);
	if (unlikely(at == 0)) {
		at = find_flags();
		__atomic_store_n(&index, at, __ATOMIC_RELAXED);
	}
	return ((const uint32_t *)(const void *)c)[at];
}

/* Whether this operation is libc's. */
static inline bool is_native(const pthread_cond_t *c)
{
	return !__atomic_load_n(&patch_started, __ATOMIC_ACQUIRE) || (flags_of(c) & SHARED);
}

/* ---- Wait ---- */

/* Which of libc's calls is being made: with the clock of the condition, or with one of its own. */
enum { OWN_CLOCK = -1 };

static int wait_native(pthread_cond_t *c, pthread_mutex_t *m, clockid_t clock, const struct timespec *until)
{
	int r;
	__atomic_fetch_add(&patch_native_waiters, 1, __ATOMIC_SEQ_CST);
	if (until == NULL)
		r = real.pthread_cond_wait(c, m);
	else if (clock == OWN_CLOCK)
		r = real.pthread_cond_timedwait(c, m, until);
	else
		r = real.pthread_cond_clockwait(c, m, clock, until);
	__atomic_fetch_sub(&patch_native_waiters, 1, __ATOMIC_SEQ_CST);
	return r;
}

/* A real thread waits in libc, in the caller's place: it lets go of the mutex and takes it again in libc's way. Until then
 * it has the mutex in trust: the owner's number, which some kinds check, is its own meanwhile. */
struct shared_wait {
	struct patch_aside aside;
	pthread_cond_t *c;
	pthread_mutex_t *m;
	clockid_t clock;
	const struct timespec *until;
	int result;
};

static void wait_in_trust(struct patch_aside *a)
{
	struct shared_wait *w = (struct shared_wait *)(void *)a;
	w->m->__data.__owner = real.gettid();
	patch_aside_cancellable(true);
	w->result = w->until ? real.pthread_cond_clockwait(w->c, w->m, w->clock, w->until)
			     : real.pthread_cond_wait(w->c, w->m);
	patch_aside_cancellable(false);
}

/* -EAGAIN: no thread for it. -ECANCELED: cut off; the mutex is held again all the same. */
static int wait_aside(pthread_cond_t *c, pthread_mutex_t *m, clockid_t clock, const struct timespec *until)
{
	struct shared_wait w = {.aside.call = wait_in_trust, .c = c, .m = m, .clock = clock, .until = until};
	int r = patch_aside(&w.aside, GEV_PARK_KILLABLE | GEV_ON_COND);
	if (r == -EAGAIN)
		return r;
	m->__data.__owner = patch_tid();
	return r ? r : w.result;
}

static int wait_napping(pthread_cond_t *c, pthread_mutex_t *m, clockid_t clock, const struct timespec *until)
{
	int64_t step = 500000;
	patch_mutex_leave(m);
	int r = patch_nap(&step, patch_until(clock, until), GEV_PARK_KILLABLE);
	int locked = patch_mutex_return(m);
	if (r == -ECANCELED)
		patch_testcancel();
	if (locked)
		return locked;
	return until && patch_reached(clock, until) ? ETIMEDOUT : 0;
}

static int wait_shared(pthread_cond_t *c, pthread_mutex_t *m, clockid_t clock, const struct timespec *until)
{
	/* libc's own wait would unlock the mutex in libc's way: right only if the mutex is libc's too. */
	if (patch_self() == NULL && !patch_mutex_ours(m))
		return wait_native(c, m, clock, until);
	if (clock == OWN_CLOCK)
		clock = flags_of(c) & MONOTONIC ? CLOCK_MONOTONIC : CLOCK_REALTIME;
	if (patch_self() && patch_mutex_plain_shared(m)) {
		int r = wait_aside(c, m, clock, until);
		if (r == -ECANCELED)
			patch_testcancel();
		if (r != -EAGAIN)
			return r < 0 ? 0 : r;
	}
	return wait_napping(c, m, clock, until);
}

struct waiting {
	pthread_cond_t *c;
	pthread_mutex_t *m;
};

static bool queue(void *arg)
{
	struct waiting *w = arg;
	__atomic_store_n(waited_for(w->c), 1, __ATOMIC_RELAXED);
	return true;
}

static void let_go(void *arg)
{
	struct waiting *w = arg;
	patch_mutex_leave(w->m);
}

static int wait_green(pthread_cond_t *c, pthread_mutex_t *m, clockid_t clock, const struct timespec *until)
{
	struct waiting w = {.c = c, .m = m};
	int r = patch_gev->lot_wait(c, queue, let_go, &w, patch_until(clock, until), GEV_PARK_KILLABLE | GEV_ON_COND,
				    NULL);
	int locked = patch_mutex_return(m);
	if (r == -ECANCELED)
		patch_testcancel();
	if (locked)
		return locked;
	/* The wall clock may have been set back meanwhile; then it is a wake-up for nothing, and the program waits
	 * again. */
	return r == -ETIMEDOUT && patch_reached(clock, until) ? ETIMEDOUT : 0;
}

static int wait(pthread_cond_t *c, pthread_mutex_t *m, clockid_t clock, const struct timespec *until)
{
	if (until && !patch_time_ok(until))
		return EINVAL;
	if (!__atomic_load_n(&patch_started, __ATOMIC_ACQUIRE))
		return wait_native(c, m, clock, until);
	int r = patch_mutex_check(m);
	if (r)
		return r;
	patch_testcancel();
	uint32_t flags = flags_of(c);
	if (flags & SHARED)
		return wait_shared(c, m, clock, until);
	if (clock == OWN_CLOCK)
		clock = flags & MONOTONIC ? CLOCK_MONOTONIC : CLOCK_REALTIME;
	return wait_green(c, m, clock, until);
}

int patch_pthread_cond_wait(pthread_cond_t *c, pthread_mutex_t *m)
{
	return wait(c, m, OWN_CLOCK, NULL);
}
EXPORT_VERSION(pthread_cond_wait, "GLIBC_2.3.2");

int patch_pthread_cond_timedwait(pthread_cond_t *c, pthread_mutex_t *m, const struct timespec *until)
{
	return wait(c, m, OWN_CLOCK, until);
}
EXPORT_VERSION(pthread_cond_timedwait, "GLIBC_2.3.2");

int patch_pthread_cond_clockwait(pthread_cond_t *c, pthread_mutex_t *m, clockid_t clock, const struct timespec *until)
{
	if (!patch_clock_ok(clock))
		return EINVAL;
	return wait(c, m, clock, until);
}
EXPORT(pthread_cond_clockwait);

/* ---- Signal ---- */

static bool natives_wait(void)
{
	return unlikely(__atomic_load_n(&patch_native_waiters, __ATOMIC_RELAXED) != 0);
}

/* Under the lock of the queue. */
static uintptr_t chosen(void *arg, bool woken, bool more)
{
	if (!more && !natives_wait())
		__atomic_store_n(waited_for(arg), 0, __ATOMIC_RELAXED);
	return 0;
}

int patch_pthread_cond_signal(pthread_cond_t *c)
{
	if (is_native(c))
		return real.pthread_cond_signal(c);
	if (natives_wait())
		real.pthread_cond_signal(c);
	if (__atomic_load_n(waited_for(c), __ATOMIC_RELAXED))
		patch_gev->lot_wake_one(c, chosen, c);
	return 0;
}
EXPORT_VERSION(pthread_cond_signal, "GLIBC_2.3.2");

int patch_pthread_cond_broadcast(pthread_cond_t *c)
{
	if (is_native(c))
		return real.pthread_cond_broadcast(c);
	if (natives_wait())
		real.pthread_cond_broadcast(c);
	if (!__atomic_load_n(waited_for(c), __ATOMIC_RELAXED))
		return 0;
	/* Before the queue is emptied, not after: then the object may be gone. Who queues in between is woken too,
	 * and the word stays set; the next signal finds nobody and clears it. */
	if (!natives_wait())
		__atomic_store_n(waited_for(c), 0, __ATOMIC_RELAXED);
	patch_gev->lot_wake(c, INT_MAX, 0);
	return 0;
}
EXPORT_VERSION(pthread_cond_broadcast, "GLIBC_2.3.2");
