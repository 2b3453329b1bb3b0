/* A tick: a signal of our own, to the hub's OS thread, that the program cannot see.
 *
 * It looks again at what could not be delivered where a signal came in. The number is one of the two that libc keeps for itself
 * (SIGCANCEL, which libc shares with its timers: nptl): no set of a program's can block it, no sigaction of a program's can take it.
 * libc installs its own handler when a real thread is cancelled; then ours is put back, and hands on what is not a tick. */
#include <string.h>
#include <time.h>

#include "shim/libc/kernel.h"
#include "shim/signal/signals.h"

/* As the kernel has it: libc's sigaction refuses the number. */
struct kernel_action {
	void (*handler)(int sig, siginfo_t *info, void *context);
	unsigned long flags;
	void (*restorer)(void);
	sigbits mask;
};

enum { FIRST_LOOK = 50000, LAST_LOOK = 5000000 };

static struct kernel_action libcs;
static int soon_timer = -1; /* the kernel's number of it */
static int64_t look = FIRST_LOOK;
static bool armed;

static int make_timer(clockid_t clock)
{
	int id = -1;
	struct sigevent event;
	memset(&event, 0, sizeof event);
	event.sigev_notify = SIGEV_THREAD_ID;
	event.sigev_signo = SIG_CANCEL;
	event.sigev_value.sival_ptr = &soon_timer;
	event._sigev_un._tid = patch_hub_tid();
	if (kernel_call6(SYS_timer_create, clock, (long)&event, (long)&id, 0, 0, 0) < 0)
		return -1;
	return id;
}

static void set_timer(int id, int64_t after, int64_t every)
{
	struct itimerspec t = {.it_value = {after / 1000000000, after % 1000000000},
			       .it_interval = {every / 1000000000, every % 1000000000}};
	kernel_call6(SYS_timer_settime, id, 0, (long)&t, 0, 0, 0);
}

void patch_tick_soon(void)
{
	if (armed || soon_timer < 0)
		return;
	armed = true;
	set_timer(soon_timer, look, 0);
}

/* Not in a safe place: later, and later still. */
static void look_again(void)
{
	armed = false;
	look = look * 2 < LAST_LOOK ? look * 2 : LAST_LOOK;
	patch_tick_soon();
}

static void on_tick(int sig, siginfo_t *info, void *data)
{
	ucontext_t *context = data;
	if (info->si_code != SI_TIMER || info->si_value.sival_ptr != &soon_timer) {
		if (libcs.handler)
			libcs.handler(sig, info, data);
		return;
	}
	enum patch_place place = patch_place_of(context);
	if (place == PATCH_PLACE_FOREIGN)
		return;
	if (place == PATCH_PLACE_RUNTIME) {
		look_again();
		return;
	}
	armed = false;
	look = FIRST_LOOK;
	if (!patch_sig.known)
		return;
	patch_attend_looking();
	if (patch_deliverable(&patch_sig)) {
		patch_deliver_here(context, place != PATCH_PLACE_PROGRAM && !patch_sig.safe);
		patch_mask_note(sig_bits(&context->uc_sigmask));
	}
	if (patch_unsettled())
		look_again();
}

static void install(void)
{
	struct kernel_action ours = {.handler = on_tick, .flags = SA_SIGINFO | SA_RESTART | SA_NODEFER}, before;
	memset(&before, 0, sizeof before);
	patch_frame_return(&ours.flags, &ours.restorer);
	kernel_call6(SYS_rt_sigaction, SIG_CANCEL, (long)&ours, (long)&before, sizeof(sigbits), 0, 0);
	if (before.handler != on_tick && (void *)before.handler != (void *)SIG_DFL &&
	    (void *)before.handler != (void *)SIG_IGN)
		libcs = before;
}

void patch_ticks_begin(void)
{
	sigbits one = sig_bit(SIG_CANCEL);
	install();
	kernel_call6(SYS_rt_sigprocmask, SIG_UNBLOCK, (long)&one, 0, sizeof one, 0, 0);
	soon_timer = make_timer(CLOCK_MONOTONIC);
}

void patch_ticks_again(void)
{
	if (soon_timer >= 0)
		install();
}

/* Timers are not inherited (timer_create(2)). */
void patch_ticks_forked(void)
{
	armed = false;
	look = FIRST_LOOK;
	soon_timer = make_timer(CLOCK_MONOTONIC);
}
