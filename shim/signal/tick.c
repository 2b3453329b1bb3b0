/* Ticks: a signal of our own, to the hub's OS thread, that the program cannot see.
 *
 * Two timers send it. One looks again, soon, at what could not be delivered where a signal came in. The other is the end of a time slice
 * (slice.c). The number is one of the two that libc keeps for itself (private.c): SIGCANCEL, which it shares with its timers. It installs
 * its own handler when a real thread is cancelled; then ours is put back, and hands on what is not a tick. */
#include <string.h>
#include <time.h>

#include "shim/libc/kernel.h"
#include "shim/pthread/aside.h"
#include "shim/pthread/cancel.h"
#include "shim/signal/slice.h"

enum { FIRST_LOOK = 50000, LAST_LOOK = 5000000 };

static struct patch_timer soon = {.clock = CLOCK_MONOTONIC, .id = -1};
static int64_t look = FIRST_LOOK;
static bool held; /* there is more to do for others */

/* Timers are not inherited by a fork's child (timer_create(2)), so each is made when it is first set. */
static int make_timer(const struct patch_timer *timer)
{
	int id = -1;
	struct sigevent event;
	memset(&event, 0, sizeof event);
	event.sigev_notify = SIGEV_THREAD_ID;
	event.sigev_signo = SIG_CANCEL;
	event.sigev_value.sival_ptr = (void *)(uintptr_t)timer;
	event._sigev_un._tid = patch_hub_tid();
	if (kernel_call6(SYS_timer_create, timer->clock, (long)&event, (long)&id, 0, 0, 0) < 0)
		return -1;
	return id;
}

static void set_timer(const struct patch_timer *timer, int64_t after, int64_t every)
{
	struct itimerspec t = {.it_value = {after / 1000000000, after % 1000000000},
			       .it_interval = {every / 1000000000, every % 1000000000}};
	kernel_call6(SYS_timer_settime, timer->id, 0, (long)&t, 0, 0, 0);
}

/* Most ticks are set by the one before, or by one of another timer. Where the time is over before the kernel has come back from setting it, on a machine that
 * has other things to do, or under a debugger, there would be another tick inside of this one, and the next inside of that, until the signal stack
 * is full: so then it is put off, further and further. */
void patch_timer_set(struct patch_timer *timer, int64_t after, int64_t every)
{
	if (timer->id < 0 && (after == 0 || (timer->id = make_timer(timer)) < 0))
		return;
	if (after == 0 || every || timer->clock != CLOCK_MONOTONIC) {
		timer->on = after != 0;
		set_timer(timer, after, every);
		return;
	}
	do {
		timer->setting = true;
		timer->over = false;
		timer->on = true;
		__atomic_fetch_or(&patch_restless, PATCH_TICKS, __ATOMIC_RELAXED);
		set_timer(timer, after, 0);
		timer->setting = false;
		after *= 2;
	} while (timer->over);
}

void patch_tick_soon(void)
{
	if (!soon.on)
		patch_timer_set(&soon, look, 0);
}

static struct patch_timer retry = {.clock = CLOCK_MONOTONIC, .id = -1};

void patch_tick_retry(int64_t after)
{
	patch_timer_set(&retry, after, 0);
}

void patch_ticks_hold(void)
{
	/* Again: a tick that was about to come may ask for another. */
	while (__atomic_load_n(&patch_restless, __ATOMIC_RELAXED) & PATCH_TICKS) {
		held = true;
		__atomic_fetch_and(&patch_restless, ~(unsigned)PATCH_TICKS, __ATOMIC_RELAXED);
		patch_timer_set(&soon, 0, 0);
		patch_timer_set(&retry, 0, 0);
		patch_slices_hold();
	}
}

void patch_ticks_resume(void)
{
	if (likely(!held))
		return;
	held = false;
	if (patch_gev->thread_count() > 1)
		patch_slices_needed();
	if (patch_unsettled())
		patch_tick_soon();
}

/* Not in a safe place: later, and later still. */
static void look_again(void)
{
	look = look * 2 < LAST_LOOK ? look * 2 : LAST_LOOK;
	patch_tick_soon();
}

/* What is there for the running thread, which has been interrupted in its own code or in libc's. */
static void deliver(ucontext_t *context)
{
	enum patch_place place = patch_place_of(context);
	patch_deliver_here(context, place != PATCH_PLACE_PROGRAM && !patch_sig.safe);
	patch_mask_note(sig_bits(&context->uc_sigmask));
}

/* Whether something is there for it now. */
static bool look_now(ucontext_t *context)
{
	enum patch_place place = patch_place_of(context);
	if (place == PATCH_PLACE_FOREIGN || (place == PATCH_PLACE_RUNTIME && patch_gev->self() == NULL))
		return false;
	if (place == PATCH_PLACE_RUNTIME) {
		look_again();
		return false;
	}
	look = FIRST_LOOK;
	if (patch_sig.known) {
		patch_attend_looking();
		if (patch_deliverable(&patch_sig))
			return true;
	}
	if (patch_unsettled())
		look_again();
	return false;
}

static void end_slice(ucontext_t *context)
{
	patch_gev->preempt();
	patch_slice_begins();
	/* It may have been told of something meanwhile, or something came during the tick. */
	if (unlikely(patch_notes_any() || patch_deliverable(&patch_sig))) {
		patch_attend_looking();
		if (patch_deliverable(&patch_sig))
			deliver(context);
	}
	/* Unwinds through what was interrupted, as from libc's own handler of this signal. */
	if (unlikely(patch_cancelled_anywhere()))
		patch_testcancel();
}

static struct patch_timer *timer_of(const siginfo_t *info)
{
	return info->si_code == SI_TIMER ? info->si_value.sival_ptr : NULL;
}

/* On a stack of the running thread's, because here it may be switched away from. */
static void act(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	if (timer_of(info) == &soon) {
		deliver(context);
		if (patch_unsettled())
			look_again();
	} else {
		end_slice(context);
	}
}

static void on_tick(int sig, siginfo_t *info, void *context)
{
	struct patch_timer *whose = timer_of(info);
	if (whose == NULL || (whose != &soon && whose != &retry && whose != patch_slice_timer())) {
		if (!patch_aside_cut_here(context))
			patch_private_pass(sig, info, context);
		return;
	}
	if (whose->clock == CLOCK_MONOTONIC)
		whose->on = false; /* each comes once */
	if (whose->setting) {
		whose->over = true;
		return;
	}
	if (!(whose == &soon ? look_now(context) : patch_slice_ends(context)))
		return;
	if (patch_stack_is_hubs(context))
		patch_frame_move(sig, info, context, patch_stack_aside(patch_frame_sp(context)), act);
	act(sig, info, context);
}

static void install(void)
{
	patch_private_take(SIG_CANCEL, on_tick, SA_NODEFER | (patch_stacks_virtual() ? SA_ONSTACK : 0), 0);
}

void patch_ticks_begin(void)
{
	sigbits one = sig_bit(SIG_CANCEL);
	install();
	kernel_call6(SYS_rt_sigprocmask, SIG_UNBLOCK, (long)&one, 0, sizeof one, 0, 0);
	patch_slices_begin();
}

void patch_ticks_again(void)
{
	if (!patch_started)
		return;
	install();
	/* libc's may have taken the one tick that was on its way, and ignored it. */
	if (soon.on)
		patch_timer_set(&soon, look, 0);
	patch_slices_again();
}

void patch_ticks_forked(void)
{
	look = FIRST_LOOK;
	soon.id = retry.id = -1;
	soon.on = retry.on = held = false;
	soon.setting = retry.setting = false;
	patch_slices_forked();
}
