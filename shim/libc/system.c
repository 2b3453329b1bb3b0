/* system: as libc does it (sysdeps/posix/system.c), but for its wait. libc's own waits inside libc, unseen.
 *
 * While any system runs the process ignores SIGINT and SIGQUIT, and the caller blocks SIGCHLD (POSIX system()). A
 * cancellation ends the child and waits for it, as in libc. */
#include <paths.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include "shim/libc/exec.h"
#include "shim/libc/wait.h"
#include "shim/signal/signals.h"

static int running;
static struct sigaction interrupt_before, quit_before;

/* Nothing parks in here, and only the hub's OS thread comes. */
static void ignore_keys(void)
{
	struct sigaction ignore = {.sa_handler = SIG_IGN};
	if (running++ > 0)
		return;
	patch_sigaction(SIGINT, &ignore, &interrupt_before);
	patch_sigaction(SIGQUIT, &ignore, &quit_before);
}

static void heed_keys(void)
{
	if (--running > 0)
		return;
	patch_sigaction(SIGINT, &interrupt_before, NULL);
	patch_sigaction(SIGQUIT, &quit_before, NULL);
}

static int start(const char *line, const sigset_t *mask, pid_t *pid)
{
	const char *const arguments[] = {"sh", "-c", line, NULL};
	posix_spawnattr_t attr;
	sigset_t defaults;
	sigemptyset(&defaults);
	if (interrupt_before.sa_handler != SIG_IGN)
		sigaddset(&defaults, SIGINT);
	if (quit_before.sa_handler != SIG_IGN)
		sigaddset(&defaults, SIGQUIT);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setsigmask(&attr, mask);
	posix_spawnattr_setsigdefault(&attr, &defaults);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
	int r = posix_spawn(pid, _PATH_BSHELL, NULL, &attr, (char *const *)arguments, environ);
	posix_spawnattr_destroy(&attr);
	return r;
}

struct child {
	pid_t pid;
	sigset_t mask;
};

static void tidy(const struct child *c)
{
	heed_keys();
	patch_pthread_sigmask(SIG_SETMASK, &c->mask, NULL);
}

static void abandon(void *arg)
{
	const struct child *c = arg;
	real.kill(c->pid, SIGKILL);
	while (patch_waitpid(c->pid, NULL, 0) < 0 && errno == EINTR)
		;
	tidy(c);
}

static int run(const char *line)
{
	struct child c;
	sigset_t child_signal;
	int status = -1;
	sigemptyset(&child_signal);
	sigaddset(&child_signal, SIGCHLD);
	ignore_keys();
	patch_pthread_sigmask(SIG_BLOCK, &child_signal, &c.mask);
	int r = start(line, &c.mask, &c.pid);
	if (r == 0) {
		pid_t got;
		pthread_cleanup_push(abandon, &c);
		do
			got = patch_waitpid(c.pid, &status, 0);
		while (got < 0 && errno == EINTR);
		pthread_cleanup_pop(0);
		if (got != c.pid)
			status = -1;
	} else {
		/* As if the shell had ended so (POSIX). */
		status = W_EXITCODE(127, 0);
		errno = r;
	}
	int saved = errno;
	tidy(&c);
	errno = saved;
	return status;
}

int patch_system(const char *command)
{
	if (!patch_green()) {
		exec_shell_begins();
		return real.system(command);
	}
	io_cancellation_point();
	return command ? run(command) : run("exit 0") == 0;
}
EXPORT(system);
