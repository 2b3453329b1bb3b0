/* Semaphores.
 *
 * The object is libc's, in libc's format (glibc nptl/sem_*.c, struct new_sem):
 *
 *      data      low 32 bits: the value; high 32 bits: how many wait
 *      private   0: of one process
 *
 * Who finds the value at 0 counts himself and queues in the lot, in one step under the lock of the queue. sem_post
 * hands the unit to the longest waiter without ever showing it in the value: POSIX has one of the waiters return, not
 * whoever comes first, and loops of wait, sleep, post take turns. Semaphores shared between processes are libc's: for a
 * greenlet a real thread waits there (aside.h). So is every wait before the runtime has started.
 *
 * sem_post in a signal handler: without waiters it is one atomic step and safe. With waiters it takes the lock of
 * their queue; but no handler runs where it has interrupted the runtime (signal/), so nobody below it holds that lock.
 */
#include <limits.h>
#include <linux/futex.h>

#include "shim/pthread/aside.h"
#include "shim/pthread/cancel.h"
#include "shim/pthread/mutex_word.h"
#include "shim/pthread/until.h"
#include "shim/signal/signals.h"

_Static_assert(sizeof(sem_t) == 32 && sizeof(long) == 8, "struct new_sem of 64-bit systems");

#define ONE_WAITER (UINT64_C(1) << 32)

static inline uint64_t *data_of(sem_t *sem)
{
	return (uint64_t *)(void *)sem;
}

static inline bool is_shared(sem_t *sem)
{
	return ((const int *)(const void *)sem)[2] != 0;
}

static inline uint32_t value_in(uint64_t data)
{
	return (uint32_t)data;
}

static inline bool take(sem_t *sem)
{
	uint64_t data = __atomic_load_n(data_of(sem), __ATOMIC_RELAXED);
	while (value_in(data) > 0)
		if (__atomic_compare_exchange_n(data_of(sem), &data, data - 1, true, __ATOMIC_ACQUIRE,
						__ATOMIC_RELAXED))
			return true;
	return false;
}

/* ---- Wait ---- */

struct waiting {
	sem_t *sem;
	bool got_it;
};

static bool count_in(void *arg)
{
	struct waiting *w = arg;
	uint64_t data = __atomic_load_n(data_of(w->sem), __ATOMIC_RELAXED);
	for (;;) {
		w->got_it = value_in(data) > 0;
		uint64_t next = w->got_it ? data - 1 : data + ONE_WAITER;
		if (__atomic_compare_exchange_n(data_of(w->sem), &data, next, true, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
			return !w->got_it;
	}
}

/* What a waiter is told: the unit is yours and you are not counted any more, or look again. */
enum { HANDED, LOOK_AGAIN };

static int wait_green(sem_t *sem, clockid_t clock, const struct timespec *until)
{
	for (;;) {
		struct waiting w = {.sem = sem};
		uintptr_t told;
		int r = patch_gev->lot_wait(sem, count_in, NULL, &w, patch_until(clock, until),
					    GEV_PARK_KILLABLE | GEV_PARK_INTERRUPTIBLE | GEV_ON_SEM, &told);
		if (w.got_it || (r == 0 && told == HANDED))
			return 0;
		__atomic_fetch_sub(data_of(sem), ONE_WAITER, __ATOMIC_RELAXED);
		if (r == -ECANCELED)
			patch_testcancel();
		/* The kernel restarts a futex wait without a time limit only (kernel/futex/waitwake.c, futex_wait). */
		if (r == -EINTR && patch_interrupted(until == NULL) < 0)
			return EINTR;
		if (r == -ETIMEDOUT && patch_reached(clock, until))
			return ETIMEDOUT;
	}
}

struct shared_wait {
	struct patch_aside aside;
	sem_t *sem;
	clockid_t clock;
	const struct timespec *until;
	int result;
};

static void wait_in_libc(struct patch_aside *a)
{
	struct shared_wait *w = (struct shared_wait *)(void *)a;
	patch_aside_cancellable(true);
	int r = w->until ? real.sem_clockwait(w->sem, w->clock, w->until) : real.sem_wait(w->sem);
	patch_aside_cancellable(false);
	w->result = r < 0 ? errno : 0;
}

static int wait_napping(sem_t *sem, clockid_t clock, const struct timespec *until)
{
	int64_t step = 0;
	while (!take(sem)) {
		if (until && patch_reached(clock, until))
			return ETIMEDOUT;
		if (patch_nap(&step, patch_until(clock, until), GEV_PARK_KILLABLE) == -ECANCELED)
			patch_testcancel();
	}
	return 0;
}

static int wait_shared(sem_t *sem, clockid_t clock, const struct timespec *until)
{
	/* Another thread of this process may be about to post it. */
	patch_gev->yield();
	if (take(sem))
		return 0;
	for (;;) {
		struct shared_wait w = {.aside.call = wait_in_libc, .sem = sem, .clock = clock, .until = until};
		int r = patch_aside(&w.aside, GEV_PARK_KILLABLE | GEV_PARK_INTERRUPTIBLE | GEV_ON_SEM);
		if (r == 0)
			return w.result;
		if (r == -EAGAIN)
			return wait_napping(sem, clock, until);
		if (r == -ECANCELED)
			patch_testcancel();
		if (r == -EINTR && patch_interrupted(until == NULL) < 0)
			return EINTR;
	}
}

static int wait_native(sem_t *sem, clockid_t clock, const struct timespec *until)
{
	__atomic_fetch_add(&patch_native_waiters, 1, __ATOMIC_SEQ_CST);
	int r = until ? real.sem_clockwait(sem, clock, until) : real.sem_wait(sem);
	__atomic_fetch_sub(&patch_native_waiters, 1, __ATOMIC_SEQ_CST);
	return r;
}

static int wait(sem_t *sem, clockid_t clock, const struct timespec *until)
{
	if (until && !patch_time_ok(until)) {
		errno = EINVAL;
		return -1;
	}
	if (likely(take(sem)))
		return 0;
	bool shared = is_shared(sem);
	if (!__atomic_load_n(&patch_started, __ATOMIC_ACQUIRE) || (shared && patch_self() == NULL))
		return wait_native(sem, clock, until);
	int saved = errno;
	int r = shared ? wait_shared(sem, clock, until) : wait_green(sem, clock, until);
	errno = r ? r : saved;
	return r ? -1 : 0;
}

/* libc looks for a cancellation before it looks at the semaphore, but not so in sem_clockwait (nptl/sem_wait.c, nptl/sem_timedwait.c). Until the
 * runtime starts it is libc's own to find. */
static void cancellation_point(void)
{
	if (likely(patch_started))
		patch_testcancel();
	else
		real.pthread_testcancel();
}

int patch_sem_wait(sem_t *sem)
{
	cancellation_point();
	return wait(sem, CLOCK_REALTIME, NULL);
}
EXPORT(sem_wait);

int patch_sem_timedwait(sem_t *sem, const struct timespec *until)
{
	if (until && patch_time_ok(until))
		cancellation_point();
	return wait(sem, CLOCK_REALTIME, until);
}
EXPORT(sem_timedwait);

int patch_sem_clockwait(sem_t *sem, clockid_t clock, const struct timespec *until)
{
	if (!patch_clock_ok(clock)) {
		errno = EINVAL;
		return -1;
	}
	return wait(sem, clock, until);
}
EXPORT(sem_clockwait);

/* ---- Post ---- */

static bool add_one(sem_t *sem)
{
	uint64_t data = __atomic_load_n(data_of(sem), __ATOMIC_RELAXED);
	do {
		if (value_in(data) == SEM_VALUE_MAX)
			return false;
	} while (!__atomic_compare_exchange_n(data_of(sem), &data, data + 1, true, __ATOMIC_RELEASE, __ATOMIC_RELAXED));
	return true;
}

struct posting {
	sem_t *sem;
	bool overflow;
};

/* Under the lock of the queue. */
static uintptr_t hand_over(void *arg, bool woken, bool more)
{
	struct posting *p = arg;
	if (woken)
		__atomic_fetch_sub(data_of(p->sem), ONE_WAITER, __ATOMIC_RELEASE);
	else
		p->overflow = !add_one(p->sem); /* those who are counted are on their way out, or libc's */
	return HANDED;
}

/* The same for a handler, which must not wait for that lock. */
static uintptr_t hand_over_async(void *sem, bool woken, bool more)
{
	struct posting p = {.sem = sem};
	return hand_over(&p, woken, more);
}

static int overflow(void)
{
	errno = EOVERFLOW;
	return -1;
}

static __attribute__((noinline)) int post_slow(sem_t *sem)
{
	int saved = errno;
	if (is_shared(sem))
		return real.sem_post(sem);
	if (!__atomic_load_n(&patch_started, __ATOMIC_ACQUIRE)) {
		int r = real.sem_post(sem);
		/* Started meanwhile, by main: then somebody may have queued in the lot. */
		if (__atomic_load_n(&patch_started, __ATOMIC_SEQ_CST))
			patch_gev->lot_wake(sem, 1, LOOK_AGAIN);
		return r;
	}
	/* A handler that has interrupted something outside the runtime, which may all the same be in there; or an OS thread, of which we cannot know. */
	if (unlikely(patch_sig.frames || patch_self() == NULL)) {
		patch_gev->lot_wake_one_async(sem, hand_over_async);
		if (unlikely(__atomic_load_n(&patch_native_waiters, __ATOMIC_SEQ_CST)))
			patch_wake_native(sem, FUTEX_WAKE_PRIVATE);
		errno = saved;
		return 0;
	}
	struct posting p = {.sem = sem};
	if (patch_gev->lot_wake_one(sem, hand_over, &p) == 0 &&
	    unlikely(__atomic_load_n(&patch_native_waiters, __ATOMIC_SEQ_CST)))
		patch_wake_native(sem, FUTEX_WAKE_PRIVATE); /* libc waits on the value */
	if (p.overflow)
		return overflow();
	errno = saved;
	return 0;
}

int patch_sem_post(sem_t *sem)
{
	uint64_t data = __atomic_load_n(data_of(sem), __ATOMIC_RELAXED);
	while (likely(data < ONE_WAITER)) {
		if (data == SEM_VALUE_MAX)
			return overflow();
		if (__atomic_compare_exchange_n(data_of(sem), &data, data + 1, true, __ATOMIC_RELEASE,
						__ATOMIC_RELAXED))
			return 0;
	}
	return post_slow(sem);
}
EXPORT(sem_post);

int patch_sem_trywait(sem_t *sem)
{
	if (take(sem))
		return 0;
	errno = EAGAIN;
	return -1;
}
EXPORT(sem_trywait);
