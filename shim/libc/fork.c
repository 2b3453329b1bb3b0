/* fork.
 *
 * Handlers of pthread_atfork, not a wrapper: libc forks by itself too (daemon, forkpty), and runs them then. They
 * are registered before any library of the program can register its own, so ours come last before the fork and
 * first after it: the child's runtime is whole again before anything of the program runs there. _Fork runs no
 * handlers, so it needs a wrapper. */
#include <pthread.h>
#include <sched.h>

#include "shim/fds/fds.h"
#include "shim/libc/linger.h"
#include "shim/pthread/thread.h"
#include "shim/stdio/stream.h"

static void before(void)
{
	fds_exposed = true;
	if (patch_started)
		patch_gev->fork_prepare();
}

static void after_in_parent(void)
{
	if (patch_started)
		patch_gev->fork_parent();
}

static void after_in_child(void)
{
	patch_tid_forked();
	if (!patch_started)
		return;
	patch_gev->fork_child();
	linger_forked();
	streams_forked();
	patch_threads_forked();
}

__attribute__((constructor)) static void watch_forks(void)
{
	pthread_atfork(before, after_in_parent, after_in_child);
}

pid_t patch__Fork(void)
{
	before();
	pid_t pid = real._Fork();
	int saved = errno;
	if (pid == 0)
		after_in_child();
	else
		after_in_parent();
	errno = saved;
	return pid;
}
EXPORT(_Fork);

/* ---- clone ----
 *
 * A child with memory and descriptors of its own is a forked one. One that shares its maker's memory and has a thread pointer of its own
 * (CLONE_SETTLS) is a real thread, which we know as any other. What is left shares its maker's storage, too, and is taken for him: it gets the
 * originals of what waits while its maker stands still (CLONE_VFORK), and what it closes we take for closed; else libc allows it no more than
 * raw system calls (clone(2), C library/kernel differences). */

struct child {
	int (*entry)(void *arg);
	void *arg;
};

static int forked(void *arg)
{
	struct child c = *(struct child *)arg;
	after_in_child();
	return c.entry(c.arg);
}

int patch_clone(int (*entry)(void *), void *stack, int flags, void *arg, pid_t *parents, void *tls, pid_t *childs)
{
	struct child c = {entry, arg};
	bool pins = (flags & CLONE_VFORK) && patch_self();
	if (entry == NULL || stack == NULL || ((flags & CLONE_VM) && !pins) ||
	    (flags & (CLONE_VM | CLONE_FILES)) == CLONE_FILES)
		return real.clone(entry, stack, flags, arg, parents, tls, childs);
	if (flags & CLONE_VM) {
		patch_gev->pin(1);
		int pid = real.clone(entry, stack, flags, arg, parents, tls, childs);
		patch_gev->pin(-1);
		return pid;
	}
	before();
	int pid = real.clone(forked, stack, flags, &c, parents, tls, childs);
	int saved = errno;
	after_in_parent();
	errno = saved;
	return pid;
}
EXPORT(clone);
EXPORT_AS(__clone, clone);
