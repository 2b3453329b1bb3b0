/* cancel.h: cancellation, for whoever waits.
 *
 * A cancellation point says patch_testcancel() before it does anything, and waits with GEV_PARK_KILLABLE; when that
 * wait ends with -ECANCELED it puts its own affairs in order and says patch_testcancel() again. Both do nothing in a
 * thread that has disabled cancellation. */
#ifndef PATCH_PTHREAD_CANCEL_H
#define PATCH_PTHREAD_CANCEL_H

#include "shim/pthread/thread.h"

/* Set once anybody has been cancelled: until then nobody has to look into his own record, which would be a cache miss a call. */
extern bool patch_cancelled_any;

/* Whether the caller, a green thread, must end now. */
static inline bool patch_cancelled(void)
{
	return unlikely(__atomic_load_n(&patch_cancelled_any, __ATOMIC_RELAXED)) &&
	       __atomic_load_n(&patch_me.cancelled, __ATOMIC_RELAXED) && !patch_me.uncancellable && !patch_me.leaving;
}

/* The same, where nothing is a cancellation point: whether it has asked to end anywhere (PTHREAD_CANCEL_ASYNCHRONOUS). */
static inline bool patch_cancelled_anywhere(void)
{
	return patch_cancelled() && patch_me.asynchronous;
}

/* Ends the calling thread with PTHREAD_CANCELED if that was asked for and is enabled. Unwinds: the caller holds
 * nothing. */
void patch_testcancel(void);

/* Around a call that waits and is no cancellation point: what comes meanwhile is left for later, unless the thread may end anywhere. */
bool patch_cancel_hold(void);
void patch_cancel_let(bool held);

/* Main, which is about to make its first thread, may have been cancelled already. */
void patch_cancel_adopted(struct patch_thread *main);

/* The caller is on its way out: waits in its cleanup handlers and destructors are whole again. */
void patch_cancel_off(struct patch_thread *self);

#endif
