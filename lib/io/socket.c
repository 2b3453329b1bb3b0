/* The public face of descriptors: gev/socket.h.
 *
 * Every call tries first and waits on EAGAIN, with MSG_DONTWAIT where the kernel has it, so that it is right on blocking sockets too. */
#include <gev/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdbool.h>

#include "lib/base/clock.h"
#include "lib/base/result.h"
#include "lib/base/sys.h"
#include "lib/core/hub.h"
#include "lib/io/address.h"
#include "lib/io/readiness.h"

/* The hub and the deadline of one operation. */
static int begin(double timeout, int64_t *deadline)
{
	int r = gev__deadline(timeout, deadline);
	if (r == 0)
		gev__hub_get(&r);
	return r;
}

/* After a call that failed: 0 to try again, or the error. A deadline of 0 never waits. */
static int again(int fd, int events, int64_t deadline)
{
	if (errno == EINTR)
		return 0;
	if (errno != EAGAIN && errno != EWOULDBLOCK)
		return -errno;
	int r = gev__fd_wait(fd, events, deadline, GEV_PARK_KILLABLE | GEV_FD_OPEN);
	return r < 0 ? r : 0;
}

static ssize_t do_recv(int fd, void *buf, size_t n, int flags, int64_t deadline)
{
	/* Who reads after a short read waits first: a request then costs its recv and its send, and no recv that finds nothing. */
	if (deadline > 0 && !(flags & (MSG_OOB | MSG_ERRQUEUE)) && gev__fd_drained(fd)) {
		int r = gev__fd_wait(fd, GEV_READABLE, deadline, GEV_PARK_KILLABLE);
		if (r < 0)
			return r;
	}
	for (;;) {
		ssize_t got = gev__sys.recv(fd, buf, n, flags | MSG_DONTWAIT);
		if (got >= 0) {
			if (!(flags & (MSG_PEEK | MSG_OOB | MSG_ERRQUEUE)))
				gev__fd_note_read(fd, got > 0 && (size_t)got < n);
			return got;
		}
		int r = again(fd, GEV_READABLE, deadline);
		if (r < 0)
			return r;
	}
}

static ssize_t do_send(int fd, const void *buf, size_t n, int flags, int64_t deadline)
{
	for (;;) {
		ssize_t sent = gev__sys.send(fd, buf, n, flags | MSG_DONTWAIT | MSG_NOSIGNAL);
		if (sent >= 0)
			return sent;
		int r = again(fd, GEV_WRITABLE, deadline);
		if (r < 0)
			return r;
	}
}

ssize_t gev_recv(int fd, void *buf, size_t n, int flags, double timeout)
{
	int64_t deadline;
	int r = begin(timeout, &deadline);
	return gev__result(r < 0 ? r : do_recv(fd, buf, n, flags, deadline));
}

ssize_t gev_send(int fd, const void *buf, size_t n, int flags, double timeout)
{
	int64_t deadline;
	int r = begin(timeout, &deadline);
	return gev__result(r < 0 ? r : do_send(fd, buf, n, flags, deadline));
}

ssize_t gev_recv_all(int fd, void *buf, size_t n, double timeout)
{
	int64_t deadline;
	int r = begin(timeout, &deadline);
	size_t got = 0;
	while (r == 0 && got < n) {
		ssize_t some = do_recv(fd, (char *)buf + got, n - got, 0, deadline);
		if (some < 0)
			r = (int)some;
		else if (some == 0)
			break;
		else
			got += (size_t)some;
	}
	return gev__result(r < 0 && got == 0 ? r : (ssize_t)got);
}

ssize_t gev_send_all(int fd, const void *buf, size_t n, double timeout)
{
	int64_t deadline;
	int r = begin(timeout, &deadline);
	size_t sent = 0;
	while (r == 0 && sent < n) {
		ssize_t some = do_send(fd, (const char *)buf + sent, n - sent, 0, deadline);
		if (some < 0)
			r = (int)some;
		else
			sent += (size_t)some;
	}
	return gev__result(r < 0 ? r : (ssize_t)sent);
}

/* read and write have no MSG_DONTWAIT. On a blocking descriptor: wait, then call, which returns at once when it is ready. */
static int wait_if_blocking(int fd, int events, int64_t deadline)
{
	int flags = gev__sys.fcntl(fd, F_GETFL, 0);
	if (flags < 0)
		return -errno;
	if (flags & O_NONBLOCK)
		return 0;
	struct pollfd now = {.fd = fd, .events = events == GEV_READABLE ? POLLIN : POLLOUT};
	if (gev__sys.poll(&now, 1, 0) > 0)
		return 0;
	int r = gev__fd_wait(fd, events, deadline, GEV_PARK_KILLABLE | GEV_FD_OPEN);
	return r < 0 ? r : 0;
}

static ssize_t transfer(int fd, void *in, const void *out, size_t n, double timeout)
{
	int events = in ? GEV_READABLE : GEV_WRITABLE;
	int64_t deadline;
	int r = begin(timeout, &deadline);
	if (r == 0)
		r = wait_if_blocking(fd, events, deadline);
	while (r == 0) {
		ssize_t done = in ? gev__sys.read(fd, in, n) : gev__sys.write(fd, out, n);
		if (done >= 0)
			return done;
		r = again(fd, events, deadline);
	}
	return r;
}

ssize_t gev_read(int fd, void *buf, size_t n, double timeout)
{
	return gev__result(transfer(fd, buf, NULL, n, timeout));
}

ssize_t gev_write(int fd, const void *buf, size_t n, double timeout)
{
	return gev__result(transfer(fd, NULL, buf, n, timeout));
}

static int do_accept(int fd, struct sockaddr *address, socklen_t *length, double timeout)
{
	int64_t deadline;
	int r = begin(timeout, &deadline);
	if (r == 0)
		r = wait_if_blocking(fd, GEV_READABLE, deadline);
	while (r == 0) {
		int new = gev__sys.accept4(fd, address, length, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (new >= 0)
			return new;
		r = again(fd, GEV_READABLE, deadline);
	}
	return r;
}

int gev_accept(int fd, struct sockaddr *address, socklen_t *length, double timeout)
{
	return (int)gev__result(do_accept(fd, address, length, timeout));
}

static int do_connect(int fd, const struct sockaddr *address, socklen_t length, int64_t deadline)
{
	if (gev__sys.connect(fd, address, length) == 0)
		return 0;
	/* EINTR: it goes on in the background, as after EINPROGRESS (connect(2)). EAGAIN: a Unix socket whose listener is full; it tells nobody
	 * when it no longer is, so that is the caller's to see. */
	if (errno != EINPROGRESS && errno != EINTR)
		return -errno;
	int r = gev__fd_wait(fd, GEV_WRITABLE, deadline, GEV_PARK_KILLABLE | GEV_FD_OPEN);
	if (r < 0)
		return r;
	int error = 0;
	socklen_t size = sizeof error;
	if (gev__sys.getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size))
		return -errno;
	return -error;
}

int gev_connect(int fd, const struct sockaddr *address, socklen_t length, double timeout)
{
	int64_t deadline;
	int r = begin(timeout, &deadline);
	return (int)gev__result(r < 0 ? r : do_connect(fd, address, length, deadline));
}

static int close_with(int fd, int error)
{
	gev__fd_closing(fd);
	gev__sys.close(fd);
	gev__fd_closed(fd);
	return error;
}

static int do_listen(const char *host_port, int backlog)
{
	struct sockaddr_storage address;
	socklen_t length;
	int r = gev__address_parse(host_port, true, &address, &length);
	if (r < 0)
		return r;
	int fd = gev__sys.socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	int one = 1;
	if (gev__sys.setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) ||
	    gev__sys.bind(fd, (struct sockaddr *)&address, length) || gev__sys.listen(fd, backlog))
		return close_with(fd, -errno);
	return fd;
}

int gev_listen(const char *host_port, int backlog)
{
	return (int)gev__result(do_listen(host_port, backlog));
}

static int do_dial(const char *host_port, double timeout)
{
	int64_t deadline;
	struct sockaddr_storage address;
	socklen_t length;
	int r = begin(timeout, &deadline);
	if (r == 0)
		r = gev__address_parse(host_port, false, &address, &length);
	if (r != 0)
		return r;
	int fd = gev__sys.socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	r = do_connect(fd, (struct sockaddr *)&address, length, deadline);
	return r < 0 ? close_with(fd, r) : fd;
}

int gev_dial(const char *host_port, double timeout)
{
	return (int)gev__result(do_dial(host_port, timeout));
}

int gev_close(int fd)
{
	gev__fd_closing(fd);
	int r = gev__sys.close(fd);
	gev__fd_closed(fd);
	return r;
}
