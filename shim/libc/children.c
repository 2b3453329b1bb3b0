/* wait, waitpid, wait3, wait4, waitid: asking without waiting, else a park until asking is worth while again.
 *
 * For the end of one child a pidfd tells (pidfd_open(2)). Whatever else may be waited for (any child, a group, stops,
 * a tracee's events) only the kernel's own wait knows, so a real thread makes it, with WNOWAIT: it takes nothing away,
 * and may be cut off at any time. Each status is reaped by the caller's own call, so exactly once, and who comes too
 * late is told ECHILD, as natively. SIGCHLD plays no part in it. */
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "shim/libc/close.h"
#include "shim/libc/poll.h"
#include "shim/pthread/aside.h"
#include "shim/signal/signals.h"

/* A child that is traced tells its tracer of more than its end (ptrace(2)). One that lets itself be traced is found by
 * looking: first after this many nanoseconds, then always after as long as it has waited already. */
enum { FIRST_LOOK = 1000000 };

static bool traces; /* this process has called ptrace */

struct child {
	idtype_t type;
	id_t id;
	int options; /* waitid's: what is waited for */
	/* Asks, and takes it if it is there: > 0, and *this tells what; 0: not yet; -errno. */
	int (*ask)(struct child *c);
	pid_t pid;
	void *result;
	struct rusage *usage;
	struct own_fd end; /* a pidfd */
	int64_t look;
};

static bool end_of_one(const struct child *c)
{
	return (c->type == P_PID || c->type == P_PIDFD) && !(c->options & (WSTOPPED | WCONTINUED)) && !traces;
}

static int tell_end(struct child *c)
{
	if (c->type == P_PIDFD)
		return own_take(&c->end, real.fcntl((int)c->id, F_DUPFD_CLOEXEC, OWN_FD_FIRST), false);
	return own_take(&c->end, (int)real.syscall(SYS_pidfd_open, (long)c->id, 0, 0, 0, 0, 0), true);
}

/* 0: ask again. -EINTR, -ECANCELED. -EAGAIN: no descriptor for it. */
static int wait_end(struct child *c)
{
	if (c->end.fd < 0 && tell_end(c) < 0)
		return -EAGAIN;
	int r = patch_gev->fd_wait(c->end.fd, GEV_READABLE, io_after(c->look),
				   GEV_PARK_KILLABLE | GEV_PARK_INTERRUPTIBLE);
	if (r == -ETIMEDOUT)
		c->look *= 2;
	if (r == -EBADF)
		own_close(&c->end);
	return r == -EINTR || r == -ECANCELED ? r : 0;
}

struct real_wait {
	struct patch_aside aside;
	idtype_t type;
	id_t id;
	int options;
};

static void wait_in_kernel(struct patch_aside *a)
{
	struct real_wait *w = (struct real_wait *)(void *)a;
	siginfo_t info;
	patch_aside_cancellable(true);
	real.waitid((int)w->type, w->id, &info, w->options);
	patch_aside_cancellable(false);
}

static int wait_aside(const struct child *c)
{
	struct real_wait w = {
		.aside.call = wait_in_kernel, .type = c->type, .id = c->id, .options = c->options | WNOWAIT};
	/* Only the thread that made the children may ask so. */
	if (c->options & __WNOTHREAD)
		return -EAGAIN;
	return patch_aside(&w.aside, GEV_PARK_KILLABLE | GEV_PARK_INTERRUPTIBLE | GEV_ON_CHILD);
}

static int wait_for(struct child *c)
{
	enum { NAP = 10000000 };
	int r = -EAGAIN;
	if (end_of_one(c))
		r = wait_end(c);
	if (r == -EAGAIN)
		r = wait_aside(c);
	if (r == -EAGAIN)
		r = patch_gev->sleep_until(io_after(NAP), GEV_PARK_KILLABLE | GEV_PARK_INTERRUPTIBLE);
	return r;
}

static int wait_loop(struct child *c)
{
	int r;
	while ((r = c->ask(c)) == 0) {
		r = wait_for(c);
		if (r == -ECANCELED)
			return r;
		if (r != -EINTR)
			continue;
		/* The kernel looks at the children before it says that a signal came (kernel/exit.c, do_wait). */
		int got = c->ask(c);
		r = patch_interrupted(true);
		if (got != 0 || r < 0)
			return got != 0 ? got : r;
	}
	return r;
}

/* > 0 or -errno; 0 with WNOHANG only. */
static int wait_green(struct child *c, int options)
{
	io_cancellation_point();
	int saved = errno, r;
	c->end.fd = -1;
	c->look = FIRST_LOOK;
	if (options & WNOHANG) {
		r = c->ask(c);
		if (r == 0)
			poll_spun();
	} else {
		r = wait_loop(c);
		own_close(&c->end);
	}
	return (int)io_result(r, saved);
}

/* ---- wait4 and what is made of it ---- */

static int ask_wait4(struct child *c)
{
	int r = real.wait4(c->pid, c->result, (c->options & ~WEXITED) | WNOHANG, c->usage);
	return r >= 0 ? r : -errno;
}

pid_t patch_wait4(pid_t pid, int *status, int options, struct rusage *usage)
{
	if (!patch_green())
		return real.wait4(pid, status, options, usage);
	struct child c = {.ask = ask_wait4, .pid = pid, .result = status, .usage = usage};
	c.type = pid == -1 ? P_ALL : pid <= 0 ? P_PGID : P_PID;
	c.id = (id_t)(pid > 0 ? pid : pid == 0 ? getpgrp() : -pid);
	c.options = (options & ~WNOHANG) | WEXITED;
	return wait_green(&c, options);
}
EXPORT(wait4);

pid_t patch_wait3(int *status, int options, struct rusage *usage)
{
	return patch_wait4(-1, status, options, usage);
}
EXPORT(wait3);

pid_t patch_waitpid(pid_t pid, int *status, int options)
{
	return patch_wait4(pid, status, options, NULL);
}
EXPORT(waitpid);
EXPORT_AS(__waitpid, waitpid);

pid_t patch_wait(int *status)
{
	return patch_wait4(-1, status, 0, NULL);
}
EXPORT(wait);
EXPORT_AS(__wait, wait);

/* ---- waitid ---- */

/* It answers 0 whether there was one or not; which, says si_pid alone. */
static int ask_waitid(struct child *c)
{
	siginfo_t unwanted = {0}, *info = c->result ? c->result : &unwanted;
	info->si_pid = 0;
	int r = real.waitid((int)c->type, c->id, info, c->options | WNOHANG);
	return r < 0 ? -errno : info->si_pid != 0;
}

int patch_waitid(int type, id_t id, siginfo_t *info, int options)
{
	/* A pidfd that must not block says EAGAIN, which WNOHANG would hide. */
	if (!patch_green() || (type == P_PIDFD && real.fcntl((int)id, F_GETFL, 0) & O_NONBLOCK))
		return real.waitid(type, id, info, options);
	struct child c = {
		.ask = ask_waitid, .type = (idtype_t)type, .id = id, .options = options & ~WNOHANG, .result = info};
	return wait_green(&c, options) < 0 ? -1 : 0;
}
EXPORT(waitid);

/* ---- ptrace: only noted ---- */

/* Variadic in C; of its four arguments each caller passes those that the request needs. */
long patch_ptrace(int request, pid_t pid, void *address, void *data)
{
	if (request != PTRACE_TRACEME)
		traces = true;
	return real.ptrace(request, pid, address, data);
}
EXPORT(ptrace);
