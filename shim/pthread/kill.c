/* Signals to a thread.
 *
 * A green thread has no number of its own for the kernel; a signal for it goes to the OS thread under it, and its
 * handler runs on whichever green thread is running there. Masks are the OS thread's too: one for all. */
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>

#include "shim/pthread/thread.h"

/* The hub is main's; its OS thread has the process's number, also in a forked child. */
static int os_thread(void)
{
	return getpid();
}

static bool valid(int sig)
{
	/* 32 and 33 are libc's own (nptl/nptl-signals: SIGCANCEL, SIGSETXID). */
	return sig >= 0 && sig < NSIG && sig != 32 && sig != 33;
}

/* 0: send it. An error number; -1: it is over, and there is nothing to send to. */
static int target(const struct patch_thread *t, int sig)
{
	if (!valid(sig))
		return EINVAL;
	if (patch_thread_state(t) == PATCH_GONE)
		return ESRCH;
	return patch_thread_state(t) == PATCH_ENDED ? -1 : 0;
}

int patch_pthread_kill(pthread_t id, int sig)
{
	struct patch_thread *t = patch_thread_find(id);
	if (t == NULL || t->is_main)
		return real.pthread_kill(id, sig);
	int r = target(t, sig);
	if (r || sig == 0)
		return r > 0 ? r : 0;
	return syscall(SYS_tgkill, getpid(), os_thread(), sig) ? errno : 0;
}
EXPORT(pthread_kill);

int patch_pthread_sigqueue(pthread_t id, int sig, const union sigval value)
{
	struct patch_thread *t = patch_thread_find(id);
	if (t == NULL || t->is_main)
		return real.pthread_sigqueue(id, sig, value);
	int r = target(t, sig);
	if (r)
		return r > 0 ? r : 0;
	siginfo_t info;
	memset(&info, 0, sizeof info);
	info.si_signo = sig;
	info.si_code = SI_QUEUE;
	info.si_pid = getpid();
	info.si_uid = getuid();
	info.si_value = value;
	return syscall(SYS_rt_tgsigqueueinfo, getpid(), os_thread(), sig, &info) ? errno : 0;
}
EXPORT(pthread_sigqueue);
