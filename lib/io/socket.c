/* Receiving and sending: gev/socket.h.
 *
 * Every call tries first and waits on EAGAIN, with MSG_DONTWAIT, so that it is right on blocking sockets too. Who reads after a short read waits first: a
 * request then costs its recv and its send, and no recv that finds nothing. */
#include <gev/socket.h>

#include <stdbool.h>

#include "lib/base/macros.h"
#include "lib/base/result.h"
#include "lib/base/sys.h"
#include "lib/io/operation.h"
#include "lib/io/readiness.h"

enum { ODD = MSG_OOB | MSG_ERRQUEUE };

/* Before a receive: 0 or -errno. */
static inline int await_more(struct gev__operation *op, int flags)
{
	return op->deadline > 0 && !(flags & (ODD | MSG_DONTWAIT)) ? gev__fd_await_more(op->fd, op->deadline) : 0;
}

/* After a call that failed. */
static inline int again(struct gev__operation *op, int events, int flags)
{
	/* Error queues are never waited for (recv(2)). */
	if (unlikely(flags & (MSG_DONTWAIT | MSG_ERRQUEUE)) && errno != EINTR)
		return -errno;
	/* Urgent data makes a socket exceptional, not readable. */
	if (unlikely(flags & MSG_OOB) && errno == EAGAIN)
		return gev__operation_nap(op);
	return gev__operation_again(op, events);
}

static inline void took(const struct gev__operation *op, ssize_t got, size_t n, int flags)
{
	if (!(flags & (MSG_PEEK | ODD)))
		gev__fd_note_read(op->fd, got > 0 && (size_t)got < n);
}

/* After a first try that failed. */
static __attribute__((noinline)) ssize_t receive_again(struct gev__operation *op, void *buf, size_t n, int flags)
{
	ssize_t got = -1;
	while (got < 0) {
		int r = again(op, GEV_READABLE, flags);
		if (r < 0)
			return r;
		got = gev__sys.recv(op->fd, buf, n, flags | MSG_DONTWAIT);
	}
	took(op, got, n, flags);
	return got;
}

static __attribute__((noinline)) ssize_t transmit_again(struct gev__operation *op, const void *buf, size_t n, int flags)
{
	ssize_t sent = -1;
	while (sent < 0) {
		int r = again(op, GEV_WRITABLE, flags);
		if (r < 0)
			return r;
		sent = gev__sys.send(op->fd, buf, n, flags | MSG_DONTWAIT | MSG_NOSIGNAL);
	}
	return sent;
}

/* Inline: each return between a switch and the program's own code is predicted wrongly (lib/core/switch.h). */
static inline __attribute__((always_inline)) ssize_t receive(struct gev__operation *op, void *buf, size_t n, int flags)
{
	int r = await_more(op, flags);
	if (unlikely(r < 0))
		return r;
	ssize_t got = gev__sys.recv(op->fd, buf, n, flags | MSG_DONTWAIT);
	if (unlikely(got < 0))
		return receive_again(op, buf, n, flags);
	took(op, got, n, flags);
	return got;
}

static inline __attribute__((always_inline)) ssize_t transmit(struct gev__operation *op, const void *buf, size_t n,
							      int flags)
{
	ssize_t sent = gev__sys.send(op->fd, buf, n, flags | MSG_DONTWAIT | MSG_NOSIGNAL);
	return likely(sent >= 0) ? sent : transmit_again(op, buf, n, flags);
}

static __attribute__((noinline)) ssize_t receive_all(struct gev__operation *op, char *buf, size_t n, int flags)
{
	size_t got = 0;
	ssize_t some = 1;
	while (got < n && (some = receive(op, buf + got, n - got, flags)) > 0) {
		got += (size_t)some;
		op->vain = 0;
	}
	return gev__result_all(got, some);
}

static __attribute__((noinline)) bool is_stream(int fd)
{
	int type = 0;
	socklen_t size = sizeof type;
	return gev__sys.getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_STREAM;
}

ssize_t gev_recv(int fd, void *buf, size_t n, int flags, double timeout)
{
	struct gev__operation op;
	int r = gev__operation_begin(&op, fd, timeout);
	if (unlikely(flags & MSG_WAITALL) && r == 0 && !(flags & (ODD | MSG_PEEK | MSG_DONTWAIT)) && is_stream(fd))
		return receive_all(&op, buf, n, flags & ~MSG_WAITALL);
	return gev__result(r < 0 ? r : receive(&op, buf, n, flags));
}

ssize_t gev_recv_all(int fd, void *buf, size_t n, double timeout)
{
	struct gev__operation op;
	int r = gev__operation_begin(&op, fd, timeout);
	return r < 0 ? gev__result(r) : receive_all(&op, buf, n, 0);
}

ssize_t gev_recvfrom(int fd, void *buf, size_t n, int flags, struct sockaddr *address, socklen_t *length,
		     double timeout)
{
	struct gev__operation op;
	int r = gev__operation_begin(&op, fd, timeout);
	if (r == 0)
		r = await_more(&op, flags);
	while (r == 0) {
		ssize_t got = gev__sys.recvfrom(fd, buf, n, flags | MSG_DONTWAIT, address, length);
		if (got >= 0) {
			/* Bytes of a datagram that did not fit are counted with MSG_TRUNC. */
			took(&op, got, n, flags);
			return got;
		}
		r = again(&op, GEV_READABLE, flags);
	}
	return gev__result(r);
}

ssize_t gev_recvmsg(int fd, struct msghdr *message, int flags, double timeout)
{
	struct gev__operation op;
	int r = gev__operation_begin(&op, fd, timeout);
	if (r == 0)
		r = await_more(&op, flags);
	while (r == 0) {
		ssize_t got = gev__sys.recvmsg(fd, message, flags | MSG_DONTWAIT);
		if (got >= 0) {
			took(&op, 0, 0, flags); /* not known to be all: the next one tries */
			return got;
		}
		r = again(&op, GEV_READABLE, flags);
	}
	return gev__result(r);
}

ssize_t gev_send(int fd, const void *buf, size_t n, int flags, double timeout)
{
	struct gev__operation op;
	int r = gev__operation_begin(&op, fd, timeout);
	return gev__result(r < 0 ? r : transmit(&op, buf, n, flags));
}

/* After a first try that gave `some`, and not all. */
static __attribute__((noinline)) ssize_t send_rest(struct gev__operation *op, const char *buf, size_t n, ssize_t some)
{
	size_t sent = 0;
	while (some > 0 && (sent += (size_t)some) < n) {
		op->vain = 0;
		some = transmit(op, buf + sent, n - sent, 0);
	}
	return gev__result_all(sent, some);
}

ssize_t gev_send_all(int fd, const void *buf, size_t n, double timeout)
{
	struct gev__operation op;
	int r = gev__operation_begin(&op, fd, timeout);
	if (unlikely(r < 0))
		return gev__result(r);
	ssize_t some = n > 0 ? transmit(&op, buf, n, 0) : 0;
	return likely(some == (ssize_t)n) ? some : send_rest(&op, buf, n, some);
}

ssize_t gev_sendto(int fd, const void *buf, size_t n, int flags, const struct sockaddr *address, socklen_t length,
		   double timeout)
{
	struct gev__operation op;
	int r = gev__operation_begin(&op, fd, timeout);
	while (r == 0) {
		ssize_t sent = gev__sys.sendto(fd, buf, n, flags | MSG_DONTWAIT | MSG_NOSIGNAL, address, length);
		if (sent >= 0)
			return sent;
		r = again(&op, GEV_WRITABLE, flags);
	}
	return gev__result(r);
}

ssize_t gev_sendmsg(int fd, const struct msghdr *message, int flags, double timeout)
{
	struct gev__operation op;
	int r = gev__operation_begin(&op, fd, timeout);
	while (r == 0) {
		ssize_t sent = gev__sys.sendmsg(fd, message, flags | MSG_DONTWAIT | MSG_NOSIGNAL);
		if (sent >= 0)
			return sent;
		r = again(&op, GEV_WRITABLE, flags);
	}
	return gev__result(r);
}
