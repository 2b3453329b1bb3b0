/* Cancellation: a flag, and an end to the target's wait if that is a cancellation point.
 *
 * The flag is ours and not libc's: libc would act on its own inside any of its blocking calls, also in those that the
 * runtime makes while it runs with some thread's identity. Its state and type are ours for the same reason.
 * Asynchronous cancellation acts at once when the thread asks it of itself, at the end of a time slice that the thread computes through (tick.c), when
 * it comes back from sched_yield, and at cancellation points. Not inside libc: POSIX lets such a thread call nothing there but what changes that
 * state (2.9.5.4). */
#include "shim/pthread/cancel.h"

#include "shim/base/log.h"
#include "shim/signal/signals.h"

bool patch_cancelled_any;

static bool enabled(const struct patch_thread *t)
{
	return !t->uncancellable && !t->leaving;
}

static void act(void)
{
	patch_pthread_exit(PTHREAD_CANCELED);
	__builtin_unreachable();
}

/* Not while the hub runs as one of its threads: that is the runtime's own call. */
void patch_testcancel(void)
{
	if (patch_cancelled() && patch_self())
		act();
}

void patch_cancel_off(struct patch_thread *self)
{
	self->leaving = true;
	if (unlikely(__atomic_load_n(&self->cancelled, __ATOMIC_RELAXED)))
		patch_gev->kill(self->greenlet, false);
}

static void note(struct patch_thread *t)
{
	__atomic_store_n(&patch_cancelled_any, true, __ATOMIC_SEQ_CST);
	__atomic_store_n(&t->cancelled, true, __ATOMIC_SEQ_CST);
	__atomic_fetch_or(&patch_restless, PATCH_CANCELS, __ATOMIC_SEQ_CST);
}

/* Main was cancelled while it was libc's. */
static bool before; /* atomic */

void patch_cancel_adopted(struct patch_thread *main)
{
	if (likely(!__atomic_load_n(&before, __ATOMIC_SEQ_CST)))
		return;
	note(main);
	if (enabled(main))
		patch_gev->kill(main->greenlet, true);
}

int patch_pthread_cancel(pthread_t id)
{
	struct patch_thread *t = patch_thread_find(id);
	if (t == NULL) {
		if (!patch_started && id == pthread_self() && real.gettid() == getpid())
			__atomic_store_n(&before, true, __ATOMIC_SEQ_CST);
		int r = real.pthread_cancel(id);
		patch_ticks_again(); /* libc has taken the number for itself */
		return r;
	}
	uint32_t state = patch_thread_state(t);
	if (state == PATCH_GONE)
		return ESRCH;
	if (state == PATCH_ENDED)
		return 0;
	note(t);
	if (!enabled(t))
		return 0;
	if (t == &patch_me && t->asynchronous)
		act();
	patch_gev->kill(t->greenlet, true);
	return 0;
}
EXPORT(pthread_cancel);

void patch_pthread_testcancel(void)
{
	if (patch_me.state == PATCH_FOREIGN)
		real.pthread_testcancel();
	else
		patch_testcancel();
}
EXPORT(pthread_testcancel);

int patch_pthread_setcancelstate(int state, int *old)
{
	struct patch_thread *t = patch_thread_self();
	if (t == NULL)
		return real.pthread_setcancelstate(state, old);
	if (state != PTHREAD_CANCEL_ENABLE && state != PTHREAD_CANCEL_DISABLE)
		return EINVAL;
	if (old)
		*old = t->uncancellable ? PTHREAD_CANCEL_DISABLE : PTHREAD_CANCEL_ENABLE;
	t->uncancellable = state == PTHREAD_CANCEL_DISABLE;
	if (likely(!__atomic_load_n(&t->cancelled, __ATOMIC_SEQ_CST)) || t->leaving)
		return 0;
	patch_gev->kill(t->greenlet, !t->uncancellable);
	if (t->asynchronous)
		patch_testcancel();
	return 0;
}
EXPORT(pthread_setcancelstate);

bool patch_cancel_hold(void)
{
	struct patch_thread *t = patch_thread_self();
	if (t == NULL || t->uncancellable || t->asynchronous)
		return false;
	patch_pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
	return true;
}

void patch_cancel_let(bool held)
{
	if (held)
		patch_pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
}

int patch_pthread_setcanceltype(int type, int *old)
{
	struct patch_thread *t = patch_thread_self();
	if (t == NULL)
		return real.pthread_setcanceltype(type, old);
	if (type != PTHREAD_CANCEL_DEFERRED && type != PTHREAD_CANCEL_ASYNCHRONOUS)
		return EINVAL;
	if (old)
		*old = t->asynchronous ? PTHREAD_CANCEL_ASYNCHRONOUS : PTHREAD_CANCEL_DEFERRED;
	t->asynchronous = type == PTHREAD_CANCEL_ASYNCHRONOUS;
	if (t->asynchronous)
		patch_testcancel();
	return 0;
}
EXPORT(pthread_setcanceltype);
