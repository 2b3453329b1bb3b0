/* When threads come and go, and what a fork leaves. */
#include <string.h>

#include "shim/libc/kernel.h"
#include "shim/pthread/thread.h"
#include "shim/signal/signals.h"

__thread struct patch_signals patch_sig;
int patch_signals_touched;
static int hub_tid;

int patch_hub_tid(void)
{
	return hub_tid;
}

static sigbits kernel_mask_now(void)
{
	sigbits mask = 0;
	kernel_call6(SYS_rt_sigprocmask, SIG_SETMASK, 0, (long)&mask, sizeof mask, 0, 0);
	return mask;
}

void patch_signals_begin(void)
{
	static const struct gev_signal_hooks hooks = {
		.attend = patch_attend,
		.arrive = patch_mask_arrive,
		.idle = patch_mask_idle,
		.handle = patch_handle,
	};
	struct patch_signals *me = &patch_sig;
	hub_tid = (int)kernel_call6(SYS_gettid, 0, 0, 0, 0, 0, 0);
	me->known = true;
	me->greenlet = patch_gev->self();
	me->mask = kernel_mask_now() & ~SIG_NEVER_BLOCKED;
	patch_mask_forked(me->mask);
	patch_attend_main(me);
	patch_gev->signal_hooks(&hooks);
	patch_places_begin();
	patch_stacks_begin();
	patch_actions_begin();
	patch_private_begin();
	patch_ticks_begin();
}

void patch_signals_born(void *tp, struct gev_greenlet *g, const sigset_t *mask)
{
	struct patch_signals *s = patch_signals_at(tp);
	if (hub_tid == 0)
		return; /* a program's own greenlet has made the first thread: signals stay as they are */
	s->greenlet = g;
	s->mask = (mask ? sig_bits(mask) : patch_sig.mask) & ~SIG_NEVER_BLOCKED;
	patch_signals_touched++;
	s->known = true;
	patch_mask_count(s->mask, 1);
	patch_signals_touched--;
	patch_slices_needed();
}

void patch_signals_gone(void)
{
	struct patch_signals *me = &patch_sig;
	if (!me->known)
		return;
	while (me->frames) { /* pthread_exit in a handler */
		patch_gev->pin(-1);
		me->frames = me->frames->outer;
		patch_ticks_resume();
	}
	bool had = me->queue.has;
	if (unlikely(had))
		patch_signals_give_back(me, true);
	patch_signals_touched++;
	patch_queue_clear(&me->queue);
	patch_settle(me);
	me->known = false;
	patch_mask_count(me->mask, -1);
	patch_signals_touched--;
	/* Who is left alone makes real calls, also by ways that nobody watches. */
	if (unlikely(__atomic_load_n(&patch_restless, __ATOMIC_RELAXED) & PATCH_TICKS) &&
	    patch_gev->thread_count() <= 2)
		patch_ticks_hold();
	/* What was given back is somebody else's now. */
	if (unlikely(had))
		patch_gev->attend();
}

void patch_signals_forked(void)
{
	struct patch_signals *me = &patch_sig;
	hub_tid = (int)kernel_call6(SYS_gettid, 0, 0, 0, 0, 0, 0);
	patch_signals_touched = 0;
	/* Pending signals are the parent's (POSIX fork()). Those of the threads that are no more, too. */
	for (struct patch_note *n = patch_notes_take(), *next; n; n = next) {
		next = n->next;
		patch_note_free(n);
	}
	patch_queue_clear(&patch_process_queue);
	patch_queue_clear(&me->queue);
	if (!me->known)
		return;
	me->greenlet = patch_gev->self();
	patch_gev->interrupt(me->greenlet, false);
	patch_attend_forked();
	patch_targets_forked();
	patch_mask_forked(me->mask);
	patch_ticks_forked();
}
