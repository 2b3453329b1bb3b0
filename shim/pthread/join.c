/* join, in its four forms, and detach.
 *
 * One waits for a thread in the lot, under the address of its record. A thread that ends finds its joiner there and
 * hands the result over (exit.c); whoever comes later finds PATCH_ENDED and takes it. So a joiner that was woken
 * never looks at the record again: it may be gone. */
#include "shim/pthread/cancel.h"
#include "shim/pthread/thread.h"
#include "shim/pthread/until.h"

/* ---- Threads joined from elsewhere ---- */

/* Only the hub's thread may give a green thread's stack and identity back: what others have joined waits here for it.
 */
static struct patch_thread *dead;

void patch_thread_bury(struct patch_thread *t)
{
	__atomic_store_n(&t->state, PATCH_GONE, __ATOMIC_RELEASE);
	if (t->is_main)
		return; /* its stack is the OS thread's */
	if (patch_self()) {
		patch_gev->thread_free(t->greenlet);
		return;
	}
	struct patch_thread *first = __atomic_load_n(&dead, __ATOMIC_RELAXED);
	do
		t->next_dead = first;
	while (!__atomic_compare_exchange_n(&dead, &first, t, true, __ATOMIC_RELEASE, __ATOMIC_RELAXED));
}

void patch_thread_sweep(void)
{
	if (likely(__atomic_load_n(&dead, __ATOMIC_RELAXED) == NULL))
		return;
	struct patch_thread *t = __atomic_exchange_n(&dead, NULL, __ATOMIC_ACQUIRE);
	while (t) {
		struct patch_thread *next = t->next_dead;
		patch_gev->thread_free(t->greenlet);
		t = next;
	}
}

/* ---- Join ---- */

static bool lives(void *arg)
{
	return patch_thread_state(arg) == PATCH_JOINABLE;
}

/* Waits for t, whose joiner we are. 0, -ETIMEDOUT or -ECANCELED. */
static int wait_for_end(struct patch_thread *t, void **value, clockid_t clock, const struct timespec *until)
{
	for (;;) {
		uintptr_t result;
		int r = patch_gev->lot_wait(t, lives, NULL, t, patch_until(clock, until),
					    GEV_PARK_KILLABLE | GEV_ON_THREAD, &result);
		if (r == 0) {
			*value = (void *)result;
			return 0;
		}
		if (r == -EAGAIN) {
			*value = t->result;
			patch_thread_bury(t);
			return 0;
		}
		if (r == -ECANCELED || patch_reached(clock, until))
			return r;
	}
}

static int join_green(struct patch_thread *t, void **value, clockid_t clock, const struct timespec *until)
{
	uint32_t state = patch_thread_state(t);
	if (state == PATCH_GONE)
		return ESRCH;
	if (state == PATCH_DETACHED)
		return EINVAL;
	if (t == &patch_me)
		return EDEADLK;
	pthread_t nobody = 0, self = pthread_self();
	pthread_t mine = patch_me.state ? __atomic_load_n(&patch_me.joiner, __ATOMIC_ACQUIRE) : 0;
	if (mine && patch_thread_at(mine) == t)
		return EDEADLK; /* it waits for us */
	if (!__atomic_compare_exchange_n(&t->joiner, &nobody, self, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
		return EINVAL;
	void *result = NULL;
	int r = state == PATCH_ENDED || until == NULL || patch_time_ok(until) ? wait_for_end(t, &result, clock, until)
									      : -EINVAL;
	if (r == 0) {
		if (value)
			*value = result;
		return 0;
	}
	__atomic_store_n(&t->joiner, 0, __ATOMIC_RELEASE);
	if (r == -ECANCELED)
		patch_testcancel();
	return -r;
}

/* libc's own thread, from a greenlet: only libc can tell when it has ended, and asking it to wait would stop
 * everybody. */
static int join_real(pthread_t id, void **value, clockid_t clock, const struct timespec *until)
{
	if (patch_green() == NULL)
		return until ? real.pthread_clockjoin_np(id, value, clock, until) : real.pthread_join(id, value);
	pthread_attr_t attr;
	int detached = PTHREAD_CREATE_JOINABLE;
	if (real.pthread_getattr_np(id, &attr) == 0) {
		pthread_attr_getdetachstate(&attr, &detached);
		pthread_attr_destroy(&attr);
	}
	if (detached == PTHREAD_CREATE_DETACHED)
		return EINVAL;
	int64_t step = 0;
	for (;;) {
		int r = real.pthread_tryjoin_np(id, value);
		if (r != EBUSY)
			return r;
		if (until && patch_reached(clock, until))
			return ETIMEDOUT;
		if (patch_nap(&step, patch_until(clock, until), GEV_PARK_KILLABLE) == -ECANCELED)
			patch_testcancel();
	}
}

static int join(pthread_t id, void **value, clockid_t clock, const struct timespec *until)
{
	patch_testcancel();
	struct patch_thread *t = patch_thread_find(id);
	return t ? join_green(t, value, clock, until) : join_real(id, value, clock, until);
}

int patch_pthread_join(pthread_t id, void **value)
{
	return join(id, value, CLOCK_REALTIME, NULL);
}
EXPORT(pthread_join);

int patch_pthread_timedjoin_np(pthread_t id, void **value, const struct timespec *until)
{
	return join(id, value, CLOCK_REALTIME, until);
}
EXPORT(pthread_timedjoin_np);

int patch_pthread_clockjoin_np(pthread_t id, void **value, clockid_t clock, const struct timespec *until)
{
	if (!patch_clock_ok(clock))
		return EINVAL;
	return join(id, value, clock, until);
}
EXPORT(pthread_clockjoin_np);

int patch_pthread_tryjoin_np(pthread_t id, void **value)
{
	struct patch_thread *t = patch_thread_find(id);
	if (t == NULL)
		return real.pthread_tryjoin_np(id, value);
	uint32_t state = patch_thread_state(t);
	if (state == PATCH_JOINABLE || state == PATCH_DETACHED)
		return EBUSY;
	return join_green(t, value, CLOCK_REALTIME, NULL);
}
EXPORT(pthread_tryjoin_np);

/* ---- Detach ---- */

int patch_pthread_detach(pthread_t id)
{
	struct patch_thread *t = patch_thread_find(id);
	if (t == NULL)
		return real.pthread_detach(id);
	if (__atomic_load_n(&t->joiner, __ATOMIC_ACQUIRE))
		return patch_thread_state(t) == PATCH_GONE ? ESRCH : 0; /* as libc: the joiner will see to it */
	for (;;) {
		uint32_t state = patch_thread_state(t);
		if (state == PATCH_GONE)
			return ESRCH;
		if (state == PATCH_DETACHED)
			return EINVAL;
		uint32_t next = state == PATCH_ENDED ? PATCH_GONE : PATCH_DETACHED;
		if (!__atomic_compare_exchange_n(&t->state, &state, next, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
			continue;
		if (next == PATCH_GONE)
			patch_thread_bury(t);
		return 0;
	}
}
EXPORT(pthread_detach);
