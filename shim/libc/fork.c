/* fork.
 *
 * Handlers of pthread_atfork, not a wrapper: libc forks by itself too (daemon, forkpty), and runs them then. They
 * are registered before any library of the program can register its own, so ours come last before the fork and
 * first after it: the child's runtime is whole again before anything of the program runs there. _Fork runs no
 * handlers, so it needs a wrapper. */
#include <pthread.h>

#include "shim/fds/fds.h"
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
