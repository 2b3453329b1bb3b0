/* Read-write locks: the calls. What they do to the object is in rwlock_word.c; its attributes (kind, shared) are
 * where libc's pthread_rwlock_init puts them, and so is the writer's number, for EDEADLK.
 *
 * Locks shared between processes are libc's: for a greenlet a real thread waits there (aside.h). */
#include "shim/pthread/rwlock_word.h"

#include "shim/pthread/aside.h"
#include "shim/pthread/until.h"

static bool is_shared(const pthread_rwlock_t *l)
{
	return l->__data.__shared != 0;
}

int patch_pthread_rwlock_unlock(pthread_rwlock_t *l)
{
	if (is_shared(l))
		return real.pthread_rwlock_unlock(l);
	bool write = patch_rwlock_written(l);
	if (write)
		__atomic_store_n(&l->__data.__cur_writer, 0, __ATOMIC_RELAXED);
	patch_rwlock_release(l, write);
	return 0;
}
EXPORT(pthread_rwlock_unlock);
EXPORT_AS(__pthread_rwlock_unlock, pthread_rwlock_unlock);

/* ---- Lock ---- */

static bool is_mine(const pthread_rwlock_t *l)
{
	return __atomic_load_n(&l->__data.__cur_writer, __ATOMIC_RELAXED) == patch_tid();
}

static int lock_native(pthread_rwlock_t *l, bool write, clockid_t clock, const struct timespec *until)
{
	if (until)
		return write ? real.pthread_rwlock_clockwrlock(l, clock, until)
			     : real.pthread_rwlock_clockrdlock(l, clock, until);
	return write ? real.pthread_rwlock_wrlock(l) : real.pthread_rwlock_rdlock(l);
}

struct shared_wait {
	struct patch_aside aside;
	pthread_rwlock_t *l;
	bool write;
	clockid_t clock;
	const struct timespec *until;
	int result;
};

static void lock_in_libc(struct patch_aside *a)
{
	struct shared_wait *w = (struct shared_wait *)(void *)a;
	w->result = lock_native(w->l, w->write, w->clock, w->until);
}

static int lock_shared(pthread_rwlock_t *l, bool write, clockid_t clock, const struct timespec *until)
{
	if (patch_self() == NULL)
		return lock_native(l, write, clock, until);
	if (is_mine(l))
		return EDEADLK;
	for (int64_t step = 0;;) {
		int r = write ? real.pthread_rwlock_trywrlock(l) : real.pthread_rwlock_tryrdlock(l);
		if (r != EBUSY)
			return r;
		if (until && patch_reached(clock, until))
			return ETIMEDOUT;
		struct shared_wait w = {
			.aside.call = lock_in_libc, .l = l, .write = write, .clock = clock, .until = until};
		if (patch_aside(&w.aside, GEV_PARK_PLAIN | GEV_ON_RWLOCK) == 0) {
			if (w.result == 0 && write)
				l->__data.__cur_writer = patch_tid();
			return w.result;
		}
		patch_nap(&step, patch_until(clock, until), GEV_PARK_PLAIN);
	}
}

static int lock(pthread_rwlock_t *l, bool write, clockid_t clock, const struct timespec *until)
{
	if (until && (!patch_clock_ok(clock) || !patch_time_ok(until)))
		return EINVAL;
	if (unlikely(is_shared(l)))
		return lock_shared(l, write, clock, until);
	int r = patch_rwlock_try(l, write);
	if (unlikely(r == EBUSY))
		r = is_mine(l) ? EDEADLK : patch_rwlock_wait(l, write, clock, until);
	if (r == 0 && write)
		__atomic_store_n(&l->__data.__cur_writer, patch_tid(), __ATOMIC_RELAXED);
	return r;
}

int patch_pthread_rwlock_rdlock(pthread_rwlock_t *l)
{
	return lock(l, false, CLOCK_REALTIME, NULL);
}
EXPORT(pthread_rwlock_rdlock);
EXPORT_AS(__pthread_rwlock_rdlock, pthread_rwlock_rdlock);

int patch_pthread_rwlock_wrlock(pthread_rwlock_t *l)
{
	return lock(l, true, CLOCK_REALTIME, NULL);
}
EXPORT(pthread_rwlock_wrlock);
EXPORT_AS(__pthread_rwlock_wrlock, pthread_rwlock_wrlock);

int patch_pthread_rwlock_timedrdlock(pthread_rwlock_t *l, const struct timespec *until)
{
	return lock(l, false, CLOCK_REALTIME, until);
}
EXPORT(pthread_rwlock_timedrdlock);

int patch_pthread_rwlock_timedwrlock(pthread_rwlock_t *l, const struct timespec *until)
{
	return lock(l, true, CLOCK_REALTIME, until);
}
EXPORT(pthread_rwlock_timedwrlock);

int patch_pthread_rwlock_clockrdlock(pthread_rwlock_t *l, clockid_t clock, const struct timespec *until)
{
	return lock(l, false, clock, until);
}
EXPORT(pthread_rwlock_clockrdlock);

int patch_pthread_rwlock_clockwrlock(pthread_rwlock_t *l, clockid_t clock, const struct timespec *until)
{
	return lock(l, true, clock, until);
}
EXPORT(pthread_rwlock_clockwrlock);

int patch_pthread_rwlock_tryrdlock(pthread_rwlock_t *l)
{
	return is_shared(l) ? real.pthread_rwlock_tryrdlock(l) : patch_rwlock_try(l, false);
}
EXPORT(pthread_rwlock_tryrdlock);
EXPORT_AS(__pthread_rwlock_tryrdlock, pthread_rwlock_tryrdlock);

int patch_pthread_rwlock_trywrlock(pthread_rwlock_t *l)
{
	if (is_shared(l))
		return real.pthread_rwlock_trywrlock(l);
	int r = patch_rwlock_try(l, true);
	if (r == 0)
		__atomic_store_n(&l->__data.__cur_writer, patch_tid(), __ATOMIC_RELAXED);
	return r;
}
EXPORT(pthread_rwlock_trywrlock);
EXPORT_AS(__pthread_rwlock_trywrlock, pthread_rwlock_trywrlock);
