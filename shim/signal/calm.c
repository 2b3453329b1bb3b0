/* Before the program waits in the kernel, as it does when nobody else is there, or in a handler that has interrupted libc.
 *
 * Three things of ours it would notice there. A tick by the clock on the wall ends many system calls with EINTR, although the program has no
 * handler, SA_RESTART or not (signal(7)), and others with a part of what was asked for. A signal that was put off in the runtime would have ended
 * the wait, or come before it. And one that came while the program let it through, and that it blocks by now, must be pending in the
 * kernel, which alone sees it when ppoll or sigsuspend let it through again.
 *
 * And a thread that is to be cancelled must end there, or be woken there by a real thread that cancels it: libc's own call would wait. So it goes the
 * way of those who are not alone.
 *
 * Invariant: while nobody is restless, there is no such tick and no such signal. */
#include "shim/libc/kernel.h"
#include "shim/pthread/cancel.h"
#include "shim/signal/signals.h"

unsigned patch_restless;

/* All of them are blocked, by the only thread there is. */
static void give_to_kernel(struct patch_queue *q)
{
	patch_signals_touched++;
	struct patch_note *next, *first = q->first;
	*q = (struct patch_queue){0};
	for (struct patch_note *n = first; n; n = next) {
		next = n->next;
		long r = n->target
			       ? kernel_call6(SYS_rt_tgsigqueueinfo, getpid(), patch_hub_tid(), n->info.si_signo,
					      (long)&n->info, 0, 0)
			       : kernel_call6(SYS_rt_sigqueueinfo, getpid(), n->info.si_signo, (long)&n->info, 0, 0, 0);
		if (r == 0)
			patch_note_free(n);
		else
			patch_queue_put(q, n); /* RLIMIT_SIGPENDING */
	}
	patch_signals_touched--;
}

static bool is_alone(void)
{
	return patch_gev->thread_count() <= 1;
}

struct gev_greenlet *patch_calm(void)
{
	int saved = errno;
	if (!patch_signals_ours())
		return NULL;
	if (is_alone() && (patch_cancelled() || (patch_real_threads && patch_sig.frames == NULL)))
		return patch_gev->self();
	if (is_alone() && patch_sig.frames == NULL) {
		patch_attend_looking();
		patch_deliver();
	}
	patch_ticks_hold();
	if (is_alone()) {
		__atomic_fetch_and(&patch_restless, ~(unsigned)PATCH_NOTES, __ATOMIC_RELAXED);
		give_to_kernel(&patch_sig.queue);
		give_to_kernel(&patch_process_queue);
	}
	errno = saved;
	return patch_gev->self_if_others();
}
