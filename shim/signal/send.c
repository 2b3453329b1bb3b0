/* Signals to a thread: pthread_kill, pthread_sigqueue, raise; and to the own process.
 *
 * A green thread has no number of its own for the kernel; a signal for it never goes there. */
#include <string.h>
#include <sys/syscall.h>

#include "shim/pthread/thread.h"
#include "shim/signal/signals.h"

/* An error number. */
static int send_to(pthread_t id, int sig, const siginfo_t *info)
{
	if (sig == SIGKILL || sig == SIGSTOP) /* whichever thread it is for */
		return real.kill(getpid(), sig) ? errno : 0;
	struct patch_note *n = patch_note_new(sig, info, id);
	if (n == NULL)
		return EAGAIN;
	patch_note_send(n);
	if (!patch_signals_ours() || patch_signals_touched) {
		patch_gev->attend();
		return 0;
	}
	patch_attend_looking();
	if (patch_deliverable(&patch_sig))
		patch_deliver();
	else if (id == pthread_self())
		patch_settle(&patch_sig);
	return 0;
}

/* 0: send it. An error number; -1: it is over, and there is nothing to send to. */
static int target(const struct patch_thread *t, int sig)
{
	if (sig != 0 && !sig_valid(sig))
		return EINVAL;
	if (patch_thread_state(t) == PATCH_GONE)
		return ESRCH;
	return patch_thread_state(t) == PATCH_ENDED ? -1 : 0;
}

static siginfo_t from_us(int code)
{
	siginfo_t info;
	memset(&info, 0, sizeof info);
	info.si_code = code;
	info.si_pid = getpid();
	info.si_uid = getuid();
	return info;
}

int patch_pthread_kill(pthread_t id, int sig)
{
	struct patch_thread *t = patch_thread_find(id);
	if (t == NULL)
		return real.pthread_kill(id, sig);
	int r = target(t, sig);
	if (r || sig == 0)
		return r > 0 ? r : 0;
	siginfo_t info = from_us(SI_TKILL);
	return send_to(id, sig, &info);
}
EXPORT(pthread_kill);

int patch_pthread_sigqueue(pthread_t id, int sig, const union sigval value)
{
	struct patch_thread *t = patch_thread_find(id);
	if (t == NULL)
		return real.pthread_sigqueue(id, sig, value);
	int r = target(t, sig);
	if (r || sig == 0)
		return r > 0 ? r : 0;
	siginfo_t info = from_us(SI_QUEUE);
	info.si_value = value;
	return send_to(id, sig, &info);
}
EXPORT(pthread_sigqueue);

int patch_raise(int sig)
{
	if (!patch_signals_ours())
		return real.raise(sig);
	int r = patch_pthread_kill(pthread_self(), sig);
	if (r == 0)
		return 0;
	errno = r;
	return -1;
}
EXPORT(raise);
EXPORT_AS(gsignal, raise);

static void sent(void)
{
	int saved = errno;
	patch_mask_look();
	/* A tick may have come first, and then the signal found the runtime at work. */
	if (!patch_signals_touched) {
		patch_attend_looking();
		patch_deliver();
	}
	errno = saved;
}

/* For the process, also from itself, is the kernel's business: it alone knows who may, and what is blocked by all. It
 * delivers before the call returns (POSIX kill()); nothing of libc's is held then. */
int patch_kill(pid_t pid, int sig)
{
	if (!patch_signals_ours())
		return real.kill(pid, sig);
	bool was = patch_sig.safe;
	patch_sig.safe = true;
	int r = real.kill(pid, sig);
	patch_sig.safe = was;
	sent();
	return r;
}
EXPORT(kill);

int patch_sigqueue(pid_t pid, int sig, const union sigval value)
{
	if (!patch_signals_ours())
		return real.sigqueue(pid, sig, value);
	bool was = patch_sig.safe;
	patch_sig.safe = true;
	int r = real.sigqueue(pid, sig, value);
	patch_sig.safe = was;
	sent();
	return r;
}
EXPORT(sigqueue);
