/* signal and its relatives: each is a sigaction with flags of its own (glibc signal/signal.c, sysv_signal.c, sigset.c, sigignore.c,
 * siginterrupt.c). libc's would install the handler past our sigaction. */
#include "shim/signal/signals.h"

#include <string.h>

static uint64_t interrupting; /* those of which siginterrupt has said that they interrupt */

static __sighandler_t install(int sig, __sighandler_t handler, int flags, bool blocks_itself)
{
	struct sigaction a = {.sa_handler = handler, .sa_flags = flags}, old;
	if (handler == SIG_ERR || !sig_valid(sig)) {
		errno = EINVAL;
		return SIG_ERR;
	}
	if (blocks_itself)
		sigaddset(&a.sa_mask, sig);
	return patch_sigaction(sig, &a, &old) < 0 ? SIG_ERR : old.sa_handler;
}

__sighandler_t patch_signal(int sig, __sighandler_t handler)
{
	if (!patch_started)
		return real.signal(sig, handler);
	bool interrupts = sig_valid(sig) && (interrupting & sig_bit(sig));
	return install(sig, handler, interrupts ? 0 : SA_RESTART, true);
}
EXPORT(signal);
EXPORT_AS(bsd_signal, signal);
EXPORT_AS(ssignal, signal);

__sighandler_t patch_sysv_signal(int sig, __sighandler_t handler)
{
	if (!patch_started)
		return real.sysv_signal(sig, handler);
	return install(sig, handler, (int)(SA_RESETHAND | SA_NODEFER), false);
}
EXPORT(sysv_signal);
EXPORT_AS(__sysv_signal, sysv_signal);

int patch_sigignore(int sig)
{
	if (!patch_started)
		return real.sigignore(sig);
	return install(sig, SIG_IGN, 0, false) == SIG_ERR ? -1 : 0;
}
EXPORT(sigignore);

int patch_siginterrupt(int sig, int interrupts)
{
	struct sigaction a;
	int r = real.siginterrupt(sig, interrupts);
	if (r < 0)
		return r;
	if (interrupts)
		__atomic_fetch_or(&interrupting, sig_bit(sig), __ATOMIC_RELAXED);
	else
		__atomic_fetch_and(&interrupting, ~sig_bit(sig), __ATOMIC_RELAXED);
	/* libc's has changed the kernel's flags; ours follow. */
	if (!patch_started || patch_sigaction(sig, NULL, &a) < 0)
		return r;
	a.sa_flags = interrupts ? a.sa_flags & ~SA_RESTART : a.sa_flags | SA_RESTART;
	return patch_sigaction(sig, &a, NULL);
}
EXPORT(siginterrupt);

/* The mask is the thread's, the handler the process's. */
__sighandler_t patch_sigset(int sig, __sighandler_t handler)
{
	if (!patch_started)
		return real.sigset(sig, handler);
	sigset_t one, before;
	struct sigaction old;
	if (handler == SIG_ERR || !sig_valid(sig)) {
		errno = EINVAL;
		return SIG_ERR;
	}
	sigemptyset(&one);
	sigaddset(&one, sig);
	if (handler == SIG_HOLD) {
		if (patch_sigprocmask(SIG_BLOCK, &one, &before) < 0 || patch_sigaction(sig, NULL, &old) < 0)
			return SIG_ERR;
		return sigismember(&before, sig) ? SIG_HOLD : old.sa_handler;
	}
	__sighandler_t was = install(sig, handler, 0, false);
	if (was == SIG_ERR || patch_sigprocmask(SIG_UNBLOCK, &one, &before) < 0)
		return SIG_ERR;
	return sigismember(&before, sig) ? SIG_HOLD : was;
}
EXPORT(sigset);
