/* accept and accept4.
 *
 * Readiness is no promise here: another process, or a thread that is not green, may take the connection first, and
 * accept has no MSG_DONTWAIT. So the listening socket gets an O_NONBLOCK of ours (fds/flags.c), and whoever meets
 * it on a listener that the program believes blocking must do the waiting itself: green or not, in this process or
 * in a patched child.
 *
 * Where the O_NONBLOCK was given back for the sake of another program (exec.c, message.c), or the program has signals sent for connections, a real
 * thread makes the call. */
#define PATCH_FAMILY PATCH_FAMILY_SOCKET

#include <signal.h>
#include <sys/syscall.h>

#include "shim/libc/close.h"
#include "shim/libc/socket.h"
#include "shim/pthread/aside.h"
#include "shim/signal/signals.h"

static int accept_original(int fd, struct sockaddr *from, socklen_t *size, int flags)
{
	/* accept itself where it will do: an old seccomp filter may not know accept4. */
	return flags ? real.accept4(fd, from, size, flags) : real.accept(fd, from, size);
}

/* What we know of a new connection without asking: accept(2) gives no O_NONBLOCK of the listener's to it. But a
 * listener's timeouts and low-water mark are inherited by TCP and not by Unix sockets: with such, let it be learnt. */
static void note_accepted(const struct description *listener, int fd, int flags)
{
	fd_begins(fd);
	if (listener->receive_timeout != GEV_NEVER || listener->send_timeout != GEV_NEVER || listener->low != 1)
		return;
	struct description *d = fds_made(fd, (enum fd_kind)listener->kind, (flags & SOCK_NONBLOCK) != 0);
	if (d) {
		d->local = listener->local;
		d->credentials = listener->credentials; /* unix_sock_inherit_flags */
		d->lingers = listener->lingers;         /* sk_clone_lock */
	}
}

/* A handler without SA_RESTART interrupts accept, one with it does not (signal(7)); poll is interrupted by all.
 * Which one it was is not known here, so: whether any would have. */
static bool interrupting_handler(void)
{
	for (int sig = 1; sig < NSIG; sig++) {
		struct sigaction a;
		if (sigaction(sig, NULL, &a) == 0 && a.sa_handler != SIG_DFL && a.sa_handler != SIG_IGN &&
		    !(a.sa_flags & SA_RESTART))
			return true;
	}
	return false;
}

/* The caller may block this OS thread, but the socket does not. Until one comes, or the timeout. */
static int accept_polling(int fd, struct sockaddr *from, socklen_t *size, int flags, int64_t timeout)
{
	int saved = errno;
	int64_t deadline = io_after(timeout);
	for (;;) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		int ms = -1;
		if (deadline != GEV_NEVER) {
			int64_t left = (deadline - io_now() + 999999) / 1000000;
			ms = left < 0 ? 0 : left > 1000000000 ? 1000000000 : (int)left;
		}
		int r = real.poll(&p, 1, ms);
		if (r == 0 && ms == 0) {
			errno = EAGAIN;
			return -1;
		}
		if (r < 0 && (errno != EINTR || interrupting_handler()))
			return -1;
		errno = saved;
		r = accept_original(fd, from, size, flags);
		if (r >= 0 || errno != EAGAIN)
			return r;
	}
}

/* Not green. EAGAIN may be ours, or come from a parent's or sibling's mark: is it the program's own? */
static int accept_here(int fd, struct sockaddr *from, socklen_t *size, int flags)
{
	int saved = errno;
	int r = accept_original(fd, from, size, flags);
	struct description *known = patch_started ? fds_peek(fd) : NULL;
	if (r >= 0) {
		if (known)
			note_accepted(known, r, flags);
		else if (patch_started)
			fd_begins(r);
		return r;
	}
	if (likely(errno != EAGAIN) || (known ? !known->covert : !fds_marked(fd)))
		return r;
	struct description about = {0};
	if (known)
		about = *known;
	else if (fds_learn(fd, &about) < 0)
		return r;
	errno = saved;
	r = accept_polling(fd, from, size, flags, about.receive_timeout);
	if (r >= 0 && patch_started)
		note_accepted(&about, r, flags);
	return r;
}

/* The socket blocks, and somebody else may be quicker: a real thread makes the call. It is not made before there is something to take. */
static ssize_t accept_aside(struct io_wait *wait, struct sockaddr *from, socklen_t *size, int flags)
{
	const long args[6] = {wait->fd, (long)from, (long)size, flags};
	wait->tried = true;
	for (;;) {
		long result;
		int r = io_wait(wait);
		if (r < 0)
			return r;
		r = patch_aside_syscall(SYS_accept4, args, GEV_PARK_KILLABLE | GEV_PARK_INTERRUPTIBLE, &result);
		if (r == 0)
			return result;
		if (r == -EAGAIN) /* no thread to be had */
			r = io_backoff(wait);
		if (r == -EINTR)
			r = patch_interrupted(wait->timeout == GEV_NEVER);
		if (r < 0)
			return r;
	}
}

static ssize_t accept_green(int fd, struct description *d, struct sockaddr *from, socklen_t *size, int flags)
{
	struct io_wait wait = {.fd = fd, .way = GEV_READABLE, .timeout = d->receive_timeout};
	for (;;) {
		fds_look_again(fd, d);
		int r = d->covert ? 0 : fds_cover(fd, d);
		ssize_t conn;
		if (r == 0) {
			conn = accept_original(fd, from, size, flags);
			conn = conn >= 0 ? conn : -errno;
		} else {
			conn = r == -EPERM ? accept_aside(&wait, from, size, flags) : r;
		}
		if (conn >= 0)
			note_accepted(d, (int)conn, flags);
		if (conn != -EAGAIN || r < 0)
			return conn;
		wait.tried = true;
		r = io_wait(&wait);
		if (r < 0)
			return r;
	}
}

int patch_accept4(int fd, struct sockaddr *from, socklen_t *size, int flags)
{
	if (!patch_green())
		return accept_here(fd, from, size, flags);
	io_cancellation_point();
	int saved = errno;
	struct description *d = fds_get(fd);
	/* What does not listen, or must not block: the kernel's own answer, at once. */
	if (d == NULL || !d->listening || d->wish)
		return accept_here(fd, from, size, flags);
	return (int)io_result(accept_green(fd, d, from, size, flags), saved);
}
EXPORT(accept4);

int patch_accept(int fd, struct sockaddr *from, socklen_t *size)
{
	return patch_accept4(fd, from, size, 0);
}
EXPORT(accept);
