/* sigvec and sigstack, the 4.2BSD forms of sigaction and sigaltstack: libc keeps sigvec for old programs only, and its headers know neither the
 * function nor the structure (glibc signal/sigvec.c, sysdeps/unix/sysv/linux/sigstack.c). libc's would install the handler and the stack past us. */
#include <string.h>

#include "shim/signal/signals.h"

enum { SV_ONSTACK = 1, SV_INTERRUPT = 2, SV_RESETHAND = 4 };

static int flags_of(int old)
{
	return (old & SV_ONSTACK ? SA_ONSTACK : 0) | (old & SV_INTERRUPT ? 0 : SA_RESTART) |
	       (old & SV_RESETHAND ? (int)SA_RESETHAND : 0);
}

static int old_flags(int flags)
{
	return (flags & SA_ONSTACK ? SV_ONSTACK : 0) | (flags & SA_RESTART ? 0 : SV_INTERRUPT) |
	       (flags & (int)SA_RESETHAND ? SV_RESETHAND : 0);
}

int patch_sigvec(int sig, const struct sigvec *wanted, struct sigvec *old)
{
	if (!patch_started)
		return real.sigvec(sig, wanted, old);
	struct sigaction a, before;
	memset(&a, 0, sizeof a);
	if (wanted) {
		a.sa_handler = wanted->sv_handler;
		a.sa_flags = flags_of(wanted->sv_flags);
		*(sigbits *)(void *)&a.sa_mask = (unsigned)wanted->sv_mask;
	}
	if (patch_sigaction(sig, wanted ? &a : NULL, &before) < 0)
		return -1;
	if (old)
		*old = (struct sigvec){before.sa_handler, (int)sig_bits(&before.sa_mask), old_flags(before.sa_flags)};
	return 0;
}
EXPORT(sigvec);

/* How long the stack is, nobody says: libc takes its address for its length. */
int patch_sigstack(struct sigstack *wanted, struct sigstack *old)
{
	stack_t stack, before;
	if (wanted)
		stack = (stack_t){.ss_sp = wanted->ss_sp,
				  .ss_size = (size_t)wanted->ss_sp,
				  .ss_flags = wanted->ss_onstack ? SS_ONSTACK : 0};
	if (patch_sigaltstack(wanted ? &stack : NULL, &before) < 0)
		return -1;
	if (old) {
		old->ss_sp = before.ss_sp;
		old->ss_onstack = (before.ss_flags & SS_ONSTACK) != 0;
	}
	return 0;
}
EXPORT(sigstack);
