/* Waiting for a signal: taken by sigwait and its relatives, or handled, in pause and sigsuspend.
 *
 * What is for this thread, or for the process and has been seen, lies in the queues. What all threads block the kernel keeps: a signalfd
 * tells when something has come. */
#include <string.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>

#include "shim/libc/close.h"
#include "shim/libc/kernel.h"
#include "shim/libc/poll.h"
#include "shim/signal/signals.h"

static int open_signalfd(sigbits set)
{
	return (int)kernel_call6(SYS_signalfd4, -1, (long)&set, sizeof set, SFD_CLOEXEC | SFD_NONBLOCK, 0, 0);
}

/* The number of the signal, 0: none is there. */
static int take(sigbits which, const sigset_t *set, siginfo_t *info)
{
	static const struct timespec at_once;
	patch_attend_looking();
	patch_signals_touched++;
	struct patch_note *n = patch_queue_get(&patch_sig.queue, which);
	if (n == NULL)
		n = patch_queue_get(&patch_process_queue, which);
	patch_signals_touched--;
	if (n) {
		*info = n->info;
		patch_note_free(n);
		/* As libc: programs know kill and pthread_kill by one code (sysdeps/unix/sysv/linux/sigtimedwait.c). */
		if (info->si_code == SI_TKILL)
			info->si_code = SI_USER;
		return info->si_signo;
	}
	int saved = errno;
	int sig = real.sigtimedwait(set, info, &at_once);
	errno = saved;
	return sig > 0 ? sig : 0;
}

static int wait_once(int fd, int64_t deadline)
{
	const unsigned flags = GEV_PARK_KILLABLE | GEV_PARK_INTERRUPTIBLE;
	if (fd >= 0)
		return patch_gev->fd_wait(fd, GEV_READABLE, deadline, flags);
	/* No descriptor to be had: look now and then. */
	int64_t look = io_after(MASKED_SLICE);
	int r = patch_gev->sleep_until(look < deadline ? look : deadline, flags);
	return r == 0 && look >= deadline ? -ETIMEDOUT : r;
}

/* The number of the signal or -errno. */
static int wait_for_one(const sigset_t *set, siginfo_t *info, int64_t deadline)
{
	struct patch_signals *me = &patch_sig;
	sigbits which = sig_bits(set) & ~SIG_NEVER_BLOCKED;
	struct own_fd teller = {.fd = -1};
	int r = 0, sig;
	sigbits awaited = me->awaited;
	me->awaited = which;
	while ((sig = take(which, set, info)) == 0) {
		if (teller.fd < 0)
			own_take(&teller, open_signalfd(which), true);
		r = wait_once(teller.fd, deadline);
		if (r == -EINTR) {
			patch_settle(me);
			if ((sig = take(which, set, info)) != 0)
				break;
			r = patch_interrupted(false);
		}
		if (r == -EBADF) {
			own_close(&teller); /* the program has closed all numbers that it does not know */
			continue;
		}
		if (r == -ETIMEDOUT)
			r = -EAGAIN;
		if (r < 0)
			break;
	}
	me->awaited = awaited;
	own_close(&teller);
	return sig ? sig : r;
}

static int result(int r)
{
	if (r == -ECANCELED)
		io_cancellation_point();
	return (int)patch_result(r);
}

int patch_sigtimedwait(const sigset_t *set, siginfo_t *info, const struct timespec *timeout)
{
	siginfo_t unwanted;
	if (!patch_signals_ours())
		return real.sigtimedwait(set, info, timeout);
	io_cancellation_point();
	if (!poll_time_valid(timeout))
		return real.sigtimedwait(set, info, timeout);
	return result(wait_for_one(set, info ? info : &unwanted, io_after(poll_nanoseconds(timeout))));
}
EXPORT(sigtimedwait);

int patch_sigwaitinfo(const sigset_t *set, siginfo_t *info)
{
	return patch_signals_ours() ? patch_sigtimedwait(set, info, NULL) : real.sigwaitinfo(set, info);
}
EXPORT(sigwaitinfo);

/* An error number; a handler does not end it (glibc signal/sigwait.c). */
int patch_sigwait(const sigset_t *set, int *sig)
{
	siginfo_t info;
	int r, saved = errno;
	if (!patch_signals_ours())
		return real.sigwait(set, sig);
	io_cancellation_point();
	do
		r = wait_for_one(set, &info, GEV_NEVER);
	while (r == -EINTR);
	if (r == -ECANCELED)
		io_cancellation_point();
	errno = saved;
	if (r < 0)
		return -r;
	*sig = r;
	return 0;
}
EXPORT(sigwait);

/* ---- Until a handler has run ---- */

static int wait_for_handler(void)
{
	const unsigned flags = GEV_PARK_KILLABLE | GEV_PARK_INTERRUPTIBLE;
	int r = 0;
	patch_attend_looking();
	r = patch_interrupted(false);
	while (r == 0) {
		r = patch_gev->sleep_until(GEV_NEVER, flags);
		if (r == -EINTR)
			r = patch_interrupted(false);
	}
	return r;
}

int patch_pause(void)
{
	if (!patch_signals_ours() || !patch_green())
		return real.pause();
	io_cancellation_point();
	return result(wait_for_handler());
}
EXPORT(pause);

static int suspend(sigbits mask)
{
	io_cancellation_point();
	sigbits before = patch_mask_lend(mask);
	int r = wait_for_handler();
	patch_mask_give_back(before);
	return result(r);
}

/* The mask is another while it waits, and the old one again afterwards. */
int patch_sigsuspend(const sigset_t *mask)
{
	if (!patch_signals_ours() || !patch_green())
		return real.sigsuspend(mask);
	return suspend(sig_bits(mask));
}
EXPORT(sigsuspend);
EXPORT_AS(__sigsuspend, sigsuspend);

/* The one that <signal.h> names sigpause is X/Open's: the signal is let through, the rest of the mask stays. */
int patch___xpg_sigpause(int sig)
{
	if (!patch_signals_ours() || !patch_green())
		return real.__xpg_sigpause(sig);
	if (!sig_valid(sig)) {
		errno = EINVAL;
		return -1;
	}
	return suspend(patch_sig.mask & ~sig_bit(sig));
}
EXPORT(__xpg_sigpause);

/* BSD's: a mask of 32 signals. */
int patch_sigpause(int mask)
{
	if (!patch_signals_ours() || !patch_green())
		return real.sigpause(mask);
	return suspend((unsigned)mask);
}
EXPORT(sigpause);

int patch___sigpause(int sig_or_mask, int is_sig)
{
	if (!patch_signals_ours() || !patch_green())
		return real.__sigpause(sig_or_mask, is_sig);
	return is_sig ? patch___xpg_sigpause(sig_or_mask) : patch_sigpause(sig_or_mask);
}
EXPORT(__sigpause);
