/* The end of a thread: what POSIX promises at it, then the result, then the joiner.
 *
 * Order as in libc's start_thread (nptl/pthread_create.c): thread_local destructors, then those of keys. Only then is
 * the thread over for a joiner. */
#include <stdlib.h>
#include <unistd.h>

#include "shim/base/log.h"
#include "shim/base/next.h"
#include "shim/libc/visit.h"
#include "shim/pthread/cancel.h"
#include "shim/pthread/futex_pi.h"
#include "shim/pthread/thread.h"
#include "shim/signal/signals.h"
#include "shim/stdio/stream.h"

bool patch_main_framed;

static bool main_waits; /* in patch_main_end */
static struct patch_thread *main_thread;

static void run_thread_locals(void)
{
	/* Exported to libc's own libraries (GLIBC_PRIVATE). */
	static void (*call_tls_dtors)(void);
	static bool looked;
	if (!looked) {
		call_tls_dtors = (void (*)(void))patch_next("__call_tls_dtors", NULL);
		looked = true;
		if (call_tls_dtors == NULL)
			patch_say("this libc hides __call_tls_dtors: thread_local destructors do not run");
	}
	if (call_tls_dtors)
		call_tls_dtors();
}

struct end {
	struct patch_thread *t;
	bool nobody_asks; /* it was detached, or has given its result away */
};

/* Under the lock of the joiner's queue. */
static uintptr_t end_now(void *arg, bool woken, bool more)
{
	struct end *e = arg;
	uint32_t joinable = PATCH_JOINABLE;
	e->nobody_asks = woken || !__atomic_compare_exchange_n(&e->t->state, &joinable, PATCH_ENDED, false,
							       __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
	if (e->nobody_asks)
		__atomic_store_n(&e->t->state, PATCH_GONE, __ATOMIC_RELEASE);
	return (uintptr_t)e->t->result;
}

static bool give_result(struct patch_thread *t)
{
	struct end e = {.t = t};
	patch_gev->lot_wake_one(t, end_now, &e);
	return e.nobody_asks;
}

void patch_thread_end(void)
{
	struct patch_thread *t = &patch_me;
	patch_cancel_off(t);
	run_thread_locals();
	patch_keys_end();
	patch_robust_end();
	resolver_end();
	patch_signals_gone();
	patch_number_end(t);
	free(t->cpus);
	t->cpus = NULL;
	bool nobody_asks = give_result(t);
	if (unlikely(main_waits))
		patch_gev->wake(main_thread->greenlet);
	if (nobody_asks)
		patch_gev->thread_free(t->greenlet);
}

void patch_main_end(void)
{
	struct patch_thread *t = &patch_me;
	if (t->state == PATCH_FOREIGN)
		return; /* never started: libc's own end is right */
	patch_cancel_off(t);
	patch_keys_end();
	patch_signals_gone();
	patch_pi_owner_ended((uint32_t)getpid());
	give_result(t);
	/* With green threads alone the runtime ends the process with its last one, in that thread, as libc does. Only
	 * libc knows when its own threads have ended: then main's OS thread goes on to libc when it has no green ones
	 * left. */
	if (!patch_real_threads)
		patch_gev->thread_exit();
	main_thread = t;
	main_waits = true;
	while (patch_gev->thread_count() > 1)
		patch_gev->park(GEV_NEVER, GEV_PARK_PLAIN);
}

void patch_pthread_exit(void *value)
{
	struct patch_thread *t = patch_thread_self();
	struct gev_greenlet *g = patch_self();
	if (g && (t == NULL || t->greenlet != g))
		patch_gev->thread_exit(); /* a greenlet of libgev's own API: no frame of ours to unwind to */
	if (t) {
		t->result = value;
		patch_cancel_off(t);
		if (t->is_main && !patch_main_framed) {
			patch_say("main was not entered through libpatch: its cleanup handlers do not run");
			patch_main_end();
		}
	}
	if (unlikely(stream_calls))
		streams_unwound();
	real.pthread_exit(value);
	__builtin_unreachable();
}
EXPORT(pthread_exit);
