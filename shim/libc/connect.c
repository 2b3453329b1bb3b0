/* connect, as a blocking one: POSIX's results, SO_SNDTIMEO's EINPROGRESS, and an error that is met once.
 *
 * There is no MSG_DONTWAIT for connect, and its waiting cannot be foreseen, so O_NONBLOCK is set around each system
 * call and taken back before anything else can run: no other greenlet sees it, and nothing leaks to a fork, an exec
 * or a dup. FIONBIO touches that one flag alone, where F_SETFL would need F_GETFL first. The end is learnt by
 * calling connect again, not by SO_ERROR: so the socket passes through the same states as natively, and a refused
 * one can be connected again. */
#define PATCH_FAMILY PATCH_FAMILY_SOCKET

#include <sys/ioctl.h>

#include "shim/libc/socket.h"

/* Unless the program has set it itself meanwhile, in another thread. */
static void nonblocking(int fd, int on)
{
	struct description *d = fds_peek(fd);
	if (d && !d->wish)
		real.ioctl(fd, FIONBIO, (unsigned long)&on);
}

/* 0 or -errno. On the loopback the answer waits in the socket's own backlog while connect holds it: the second call
 * finds it, and the connection is made without a wait. */
static int attempt(int fd, const struct sockaddr *to, socklen_t size, int *first)
{
	nonblocking(fd, 1);
	int r = real.connect(fd, to, size) == 0 ? 0 : -errno;
	if (*first == 0)
		*first = r;
	if (r == -EINPROGRESS)
		r = real.connect(fd, to, size) == 0 || errno == EISCONN ? 0 : -errno;
	nonblocking(fd, 0);
	return r;
}

static int connect_waiting(int fd, struct description *d, const struct sockaddr *to, socklen_t size)
{
	struct io_wait wait = {.fd = fd, .way = GEV_WRITABLE, .tried = true, .timeout = d->send_timeout};
	int first = 0;
	int r = attempt(fd, to, size, &first);
	while (r == -EINPROGRESS || r == -EALREADY || r == -EAGAIN) {
		/* EAGAIN: the backlog of a Unix listener is full, and nothing says when it no longer is. */
		int w = r == -EAGAIN ? io_backoff(&wait) : io_wait(&wait);
		if (w == -EAGAIN)
			return first;
		if (w < 0)
			return w;
		r = attempt(fd, to, size, &first);
		/* Some families say so of the connection that this very call has begun. */
		if (r == -EISCONN && first == -EINPROGRESS)
			r = 0;
	}
	return r;
}

APART static int connect_green(int fd, const struct sockaddr *to, socklen_t size)
{
	io_cancellation_point();
	int saved = errno;
	struct description *d = socket_blocking(fd, 0);
	if (d == NULL || d->listening)
		return real.connect(fd, to, size);
	return (int)io_result(connect_waiting(fd, d, to, size), saved);
}

int patch_connect(int fd, const struct sockaddr *to, socklen_t size)
{
	return patch_green() ? connect_green(fd, to, size) : real.connect(fd, to, size);
}
EXPORT(connect);
EXPORT_AS(__connect, connect);
