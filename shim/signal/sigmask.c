/* pthread_sigmask, sigprocmask and their old forms, sigpending: of the calling green thread. */
#include "shim/signal/signals.h"

#include <string.h>

static void put_set(sigset_t *set, sigbits bits)
{
	memset(set, 0, sizeof *set);
	memcpy(set, &bits, sizeof bits);
}

/* An error number. What is let through and waits comes before the call returns (POSIX sigprocmask()). */
static int change(int how, const sigset_t *set, sigset_t *old)
{
	sigbits before = patch_sig.mask, wanted = set ? sig_bits(set) : 0;
	if (set) {
		switch (how) {
		case SIG_BLOCK:
			wanted |= before;
			break;
		case SIG_UNBLOCK:
			wanted = before & ~wanted;
			break;
		case SIG_SETMASK:
			break;
		default:
			return EINVAL;
		}
		patch_mask_set(wanted);
		if (before & ~patch_sig.mask) {
			patch_attend_looking();
			patch_deliver();
		} else if (unlikely(patch_sig.queue.has & patch_sig.mask)) {
			patch_signals_give_back(&patch_sig, false);
			patch_attend();
		}
	}
	if (old)
		put_set(old, before);
	return 0;
}

int patch_pthread_sigmask(int how, const sigset_t *set, sigset_t *old)
{
	return patch_signals_ours() ? change(how, set, old) : real.pthread_sigmask(how, set, old);
}
EXPORT(pthread_sigmask);

int patch_sigprocmask(int how, const sigset_t *set, sigset_t *old)
{
	if (!patch_signals_ours())
		return real.sigprocmask(how, set, old);
	int r = change(how, set, old);
	if (r == 0)
		return 0;
	errno = r;
	return -1;
}
EXPORT(sigprocmask);

/* ---- BSD's, of 32 signals ---- */

static int old_way(int how, unsigned bits)
{
	sigset_t set, old;
	put_set(&set, how == SIG_SETMASK ? bits | (patch_sig.mask & ~UINT64_C(0xffffffff)) : bits);
	change(how, &set, &old);
	return (int)(unsigned)sig_bits(&old);
}

int patch_sigblock(int mask)
{
	return patch_signals_ours() ? old_way(SIG_BLOCK, (unsigned)mask) : real.sigblock(mask);
}
EXPORT(sigblock);

int patch_sigsetmask(int mask)
{
	return patch_signals_ours() ? old_way(SIG_SETMASK, (unsigned)mask) : real.sigsetmask(mask);
}
EXPORT(sigsetmask);

int patch_siggetmask(void)
{
	return patch_signals_ours() ? old_way(SIG_BLOCK, 0) : real.siggetmask();
}
EXPORT(siggetmask);

/* ---- System V's ---- */

static int one_way(int how, int sig)
{
	if (sig <= 0 || sig > SIG_MAX) {
		errno = EINVAL;
		return -1;
	}
	sigset_t set;
	put_set(&set, sig_bit(sig));
	return patch_sigprocmask(how, &set, NULL);
}

int patch_sighold(int sig)
{
	return patch_signals_ours() ? one_way(SIG_BLOCK, sig) : real.sighold(sig);
}
EXPORT(sighold);

int patch_sigrelse(int sig)
{
	return patch_signals_ours() ? one_way(SIG_UNBLOCK, sig) : real.sigrelse(sig);
}
EXPORT(sigrelse);

/* ---- What waits ---- */

int patch_sigpending(sigset_t *set)
{
	int r = real.sigpending(set);
	if (r == 0 && patch_signals_ours()) {
		patch_attend();
		sigbits all = sig_bits(set) | patch_sig.queue.has | patch_process_queue.has;
		put_set(set, all & patch_sig.mask);
	}
	return r;
}
EXPORT(sigpending);
