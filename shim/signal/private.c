/* The two signals that libc keeps for itself (nptl): no set of a program's can block them, no sigaction of a program's can take them.
 *
 * One is also our ticks (tick.c). By the other libc reaches each of its threads when one of them calls setuid or its kin: the
 * handler makes the call there, and notes in its thread's control block that it is done. On the hub's OS thread that must be the OS thread's own
 * block, whoever runs just now: else the caller asks again and again, until main runs by chance. */
#include <string.h>

#include "shim/libc/kernel.h"
#include "shim/pthread/thread.h"
#include "shim/signal/signals.h"

/* As the kernel has it: libc's sigaction refuses the numbers. */
struct kernel_action {
	patch_handler *handler;
	unsigned long flags;
	void (*restorer)(void);
	sigbits mask;
};

static patch_handler *libcs[2];

static patch_handler **libcs_of(int sig)
{
	return &libcs[sig - SIG_CANCEL];
}

void patch_private_pass(int sig, siginfo_t *info, void *context)
{
	if (*libcs_of(sig))
		(*libcs_of(sig))(sig, info, context);
}

void patch_private_take(int sig, patch_handler *handler, int flags, sigbits mask)
{
	struct kernel_action ours = {
		.handler = handler, .flags = (unsigned)(SA_SIGINFO | SA_RESTART | flags), .mask = mask};
	struct kernel_action before;
	memset(&before, 0, sizeof before);
	patch_frame_return(&ours.flags, &ours.restorer);
	kernel_call6(SYS_rt_sigaction, sig, (long)&ours, (long)&before, sizeof(sigbits), 0, 0);
	if (before.handler != handler && (void *)before.handler != (void *)SIG_DFL &&
	    (void *)before.handler != (void *)SIG_IGN)
		*libcs_of(sig) = before.handler;
}

/* ---- setuid and its kin ---- */

struct passing {
	siginfo_t *info;
	void *context;
};

static void pass(void *arg)
{
	struct passing *p = arg;
	patch_private_pass(SIG_SETXID, p->info, p->context);
}

static void on_setxid(int sig, siginfo_t *info, void *context)
{
	struct passing p = {info, context};
	if ((int)kernel_call6(SYS_gettid, 0, 0, 0, 0, 0, 0) == patch_hub_tid())
		patch_as_os_thread_here(pass, &p);
	else
		pass(&p);
}

void patch_private_begin(void)
{
	patch_private_take(SIG_SETXID, on_setxid, 0, ~UINT64_C(0));
}
