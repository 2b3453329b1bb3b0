/* From a signal to its handler.
 *
 * Two ways lead here. The kernel has interrupted the OS thread: then the handler runs on top of what was interrupted, and the kernel's return
 * from the signal puts the mask back. Or a thread comes to a safe place of its own accord (a wait that was interrupted, the end of
 * pthread_kill, sigprocmask) and finds that something is there for it. */
#include <string.h>

#include "shim/libc/kernel.h"
#include "shim/signal/signals.h"

static void call(const struct sigaction *a, int sig, siginfo_t *info, void *context)
{
	/* The kernel gives all three to every handler; old programs rely on it. */
	a->sa_sigaction(sig, info, context);
}

static sigbits handler_mask(const struct sigaction *a, int sig, sigbits before)
{
	return before | sig_bits(&a->sa_mask) | (a->sa_flags & SA_NODEFER ? 0 : sig_bit(sig));
}

static bool has_handler(const struct sigaction *a)
{
	return a->sa_handler != SIG_DFL && a->sa_handler != SIG_IGN;
}

struct calling {
	const struct sigaction *action;
	int sig;
	siginfo_t *info;
	ucontext_t *context;
};

static void call_there(void *arg)
{
	struct calling *c = arg;
	call(c->action, c->sig, c->info, c->context);
}

/* On the thread's alternate stack, if that is wanted and it is not there already. */
static void call_on_stack(const struct sigaction *a, int sig, siginfo_t *info, ucontext_t *context)
{
	struct calling c = {a, sig, info, context};
	if (unlikely(patch_stack_wanted(a, (uintptr_t)__builtin_frame_address(0))))
		patch_frame_call(patch_stack_top(&patch_sig.stack), call_there, &c);
	else
		call(a, sig, info, context);
}

/* A frame whose handler may not switch is on the list, so that a jump out of it can undo that. */
static void call_pinned(const struct sigaction *a, int sig, siginfo_t *info, ucontext_t *context)
{
	struct patch_signals *me = &patch_sig;
	struct patch_frame frame = {.outer = me->frames, .pinned = true};
	me->frames = &frame;
	patch_gev->pin(1);
	call_on_stack(a, sig, info, context);
	patch_gev->pin(-1);
	me->frames = frame.outer;
	patch_ticks_resume();
}

/* At the caller's own mask. 0: there was no handler. 1: it restarts. 2: it does not. */
static int run_one(int sig, siginfo_t *info, ucontext_t *context, bool pinned, bool returns_by_kernel)
{
	struct sigaction a;
	sigbits before = patch_sig.mask;
	bool safe = patch_sig.safe, lent = patch_sig.lent;
	patch_action_take(sig, &a);
	if (!has_handler(&a)) {
		if (a.sa_handler == SIG_DFL && !patch_action_ignored(sig))
			patch_action_default_now(sig);
		return 0;
	}
	/* A call that it has interrupted may have a mask of its own for a while (sigsuspend, ppoll): the context has the one that
	 * will be put back. */
	if (!returns_by_kernel)
		*(sigbits *)(void *)&context->uc_sigmask = before;
	patch_mask_set(handler_mask(&a, sig, before));
	stack_t kernels = context->uc_stack;
	if (patch_stacks_virtual())
		context->uc_stack = patch_sig.stack;
	patch_sig.safe = patch_sig.lent =
		false; /* what the handler calls is another matter, also after a jump out of it */
	if (pinned)
		call_pinned(&a, sig, info, context);
	else
		call_on_stack(&a, sig, info, context);
	context->uc_stack = kernels; /* the return from the signal sets it again (sigreturn(2)) */
	patch_sig.safe = safe;
	patch_sig.lent = lent;
	sigbits after = sig_bits(&context->uc_sigmask);
	if (returns_by_kernel) {
		patch_mask_note(after);
		patch_mask_blocked_all();
	} else {
		patch_mask_set(after);
	}
	return a.sa_flags & SA_RESTART ? 1 : 2;
}

static struct patch_note *next_note(struct patch_signals *me)
{
	patch_signals_touched++;
	struct patch_note *n = patch_queue_get(&me->queue, ~me->mask);
	if (n == NULL)
		n = patch_queue_get(&patch_process_queue, ~me->mask);
	patch_signals_touched--;
	return n;
}

static int run_all(ucontext_t *context, bool pinned, bool returns_by_kernel)
{
	struct patch_signals *me = &patch_sig;
	int first = 0;
	patch_settle(me);
	for (struct patch_note *n; (n = next_note(me)) != NULL;) {
		siginfo_t info = n->info;
		patch_note_free(n);
		int how = run_one(info.si_signo, &info, context, pinned, returns_by_kernel);
		/* The kernel lets the first one say what becomes of the call. */
		first = first ? first : how;
	}
	return first;
}

bool patch_deliverable(const struct patch_signals *s)
{
	return ((s->queue.has | patch_process_queue.has) & ~s->mask) != 0;
}

static __attribute__((noinline)) int deliver(void)
{
	ucontext_t context;
	getcontext(&context);
	return run_all(&context, false, false);
}

int patch_deliver(void)
{
	struct patch_signals *me = &patch_sig;
	if (!patch_signals_ours())
		return 0;
	if (likely(!patch_deliverable(me))) {
		patch_settle(me);
		return 0;
	}
	return deliver();
}

void patch_deliver_here(ucontext_t *context, bool pinned)
{
	run_all(context, pinned, true);
}

void patch_handle(void)
{
	int saved = errno;
	patch_deliver();
	errno = saved;
}

int patch_interrupted(bool restarts)
{
	int saved = errno;
	int how = patch_deliver();
	errno = saved;
	return how == 0 || (how == 1 && restarts) ? 0 : -EINTR;
}

/* ---- The trampoline ---- */

/* On an OS thread that is not ours, or in a crash of the runtime itself: as the kernel would. */
static void run_native(int sig, siginfo_t *info, ucontext_t *context)
{
	struct sigaction a;
	patch_action_take(sig, &a);
	if (!has_handler(&a))
		return;
	sigbits mask = handler_mask(&a, sig, sig_bits(&context->uc_sigmask)) & ~SIG_NEVER_BLOCKED;
	kernel_call6(SYS_rt_sigprocmask, SIG_SETMASK, (long)&mask, 0, sizeof mask, 0, 0);
	call(&a, sig, info, context);
}

/* Raised by the very instruction that was interrupted. */
static bool is_fault(int sig, const siginfo_t *info)
{
	bool may_be =
		sig == SIGSEGV || sig == SIGBUS || sig == SIGFPE || sig == SIGILL || sig == SIGTRAP || sig == SIGSYS;
	return may_be && info->si_code > 0;
}

/* Raised by a call of the running thread's, and meant for it. abort raises its signal inside libc. */
static bool is_own(int sig, const siginfo_t *info)
{
	return sig == SIGPIPE || sig == SIGXFSZ ||
	       (sig == SIGABRT && info->si_code == SI_TKILL && info->si_pid == getpid());
}

static void leave_note(int sig, const siginfo_t *info)
{
	/* The kernel's number of the hub's OS thread is main's own. */
	pthread_t target = info->si_code == SI_TKILL ? patch_attend_main_id() : 0;
	if (!patch_target_meant(sig, info, &target))
		return;
	struct patch_note *n = patch_note_new(sig, info, target);
	/* All notes in use: a thousand signals wait to be handled. */
	if (n)
		patch_note_send(n);
}

/* Off the kernel's alternate stack, which the next signal may use: to the thread's own one, or below what was interrupted. */
static void move(int sig, siginfo_t *info, ucontext_t *context)
{
	struct sigaction a;
	uintptr_t sp = patch_frame_sp(context);
	patch_action_look(sig, &a);
	patch_frame_move(sig, info, context,
			 patch_stack_wanted(&a, sp) ? patch_stack_top(&patch_sig.stack) : patch_stack_below(sp),
			 patch_on_signal);
}

void patch_on_signal(int sig, siginfo_t *info, void *data)
{
	ucontext_t *context = data;
	enum patch_place place = patch_place_of(context);
	bool fault = is_fault(sig, info);
	if (fault && unlikely(patch_action_default(sig))) {
		/* The program has no handler: why there is one of ours, and what the instruction raises again when it is run again. */
		patch_gev->overflow(info, context);
		patch_action_let_go(sig);
		return;
	}
	bool between = place == PATCH_PLACE_RUNTIME && (patch_gev->busy() || patch_signals_touched);
	if (place == PATCH_PLACE_FOREIGN || (between && fault) || (!between && !patch_sig.known)) {
		run_native(sig, info, context);
		return;
	}
	bool own = !between && is_own(sig, info);
	if (place == PATCH_PLACE_RUNTIME && !fault && !own) {
		leave_note(sig, info);
		patch_gev->attend();
		/* The hub sees the note by itself. A greenlet may go on for long without another switch. */
		if (patch_gev->self())
			patch_tick_soon();
		return;
	}
	if (patch_stack_is_hubs(context) && !patch_stack_is_hubs((void *)patch_frame_sp(context)))
		move(sig, info, context);
	bool pinned = place != PATCH_PLACE_PROGRAM && !patch_sig.safe;
	bool masked_for_a_call = sig_bits(&context->uc_sigmask) & sig_bit(sig);
	patch_mask_note(sig_bits(&context->uc_sigmask));
	patch_mask_blocked_all();
	if (fault || own || masked_for_a_call) {
		run_one(sig, info, context, pinned, true);
	} else {
		leave_note(sig, info);
		patch_attend_looking();
	}
	patch_deliver_here(context, pinned);
	patch_mask_note(sig_bits(&context->uc_sigmask));
}
