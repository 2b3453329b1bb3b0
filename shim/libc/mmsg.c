/* recvmmsg and sendmmsg, with the kernel's own habits (net/socket.c): the timeout of recvmmsg is looked at only
 * after a message has come, an error after some messages is kept for the next call, and a stream message sent in
 * part ends sendmmsg. */
#define PATCH_FAMILY PATCH_FAMILY_SOCKET

#include "shim/libc/socket.h"

enum { MOST = 1024 }; /* UIO_MAXIOV: what one call takes at most */

static void note_received(struct mmsghdr *msgs, int n)
{
	for (int i = 0; i < n; i++)
		socket_note_received(&msgs[i].msg_hdr);
}

/* What is left of a deadline, as the kernel writes it back. */
static void write_left(struct timespec *out, int64_t deadline)
{
	int64_t left = deadline - io_now();
	if (left < 0)
		left = 0;
	out->tv_sec = left / 1000000000;
	out->tv_nsec = left % 1000000000;
}

static ssize_t receive_many(int fd, struct description *d, struct mmsghdr *msgs, unsigned n, int flags,
			    int64_t deadline)
{
	struct io_wait wait = {.fd = fd, .way = GEV_READABLE, .tried = true, .timeout = d->receive_timeout};
	unsigned got = 0;
	while (got < n) {
		/* An error that waits is the next call's. */
		if (got > 0 && socket_failed(fd))
			break;
		int r = real.recvmmsg(fd, msgs + got, n - got, (flags & ~MSG_WAITFORONE) | MSG_DONTWAIT, NULL);
		if (r < 0 && errno != EAGAIN)
			return got > 0 ? (ssize_t)got : -errno;
		if (r < 0 && socket_ended(&wait, d)) {
			socket_empty(&msgs[got].msg_hdr);
			msgs[got].msg_len = 0;
			r = 1;
		}
		if (r > 0) {
			got += (unsigned)r;
			/* Each message has the socket's whole timeout to itself. */
			wait.vain = wait.naps = 0;
			wait.moved = true;
			wait.deadline = 0;
			if (got == n || (flags & MSG_WAITFORONE) || (msgs[got - 1].msg_hdr.msg_flags & MSG_OOB) ||
			    (deadline != GEV_NEVER && io_now() >= deadline))
				break;
		}
		r = io_wait(&wait);
		if (r < 0)
			return got > 0 ? (ssize_t)got : r;
	}
	return (ssize_t)got;
}

APART static int recvmmsg_started(int fd, struct mmsghdr *msgs, unsigned n, int flags, struct timespec *timeout)
{
	int saved = errno;
	struct description *d = NULL;
	if (patch_green()) {
		io_cancellation_point();
		d = n > 0 ? socket_blocking(fd, flags) : NULL;
	}
	/* EINVAL for a timeout that is none: the kernel says so before it looks at anything else. */
	if (timeout && (timeout->tv_sec < 0 || (unsigned long)timeout->tv_nsec > 999999999))
		d = NULL;
	if (d == NULL) {
		int r = real.recvmmsg(fd, msgs, n, flags, timeout);
		note_received(msgs, r);
		return r;
	}
	int64_t deadline = GEV_NEVER;
	if (timeout && timeout->tv_sec < GEV_NEVER / 2000000000)
		deadline = io_after(timeout->tv_sec * 1000000000 + timeout->tv_nsec);
	ssize_t r = receive_many(fd, d, msgs, n > MOST ? MOST : n, flags, deadline);
	note_received(msgs, (int)r);
	if (timeout && r > 0)
		write_left(timeout, deadline);
	return (int)io_result(r, saved);
}

int patch_recvmmsg(int fd, struct mmsghdr *msgs, unsigned n, int flags, struct timespec *timeout)
{
	if (likely(!patch_started))
		return real.recvmmsg(fd, msgs, n, flags, timeout);
	return recvmmsg_started(fd, msgs, n, flags, timeout);
}
EXPORT(recvmmsg);

static ssize_t send_many(int fd, struct description *d, struct mmsghdr *msgs, unsigned n, int flags)
{
	struct io_wait wait = {.fd = fd, .way = GEV_WRITABLE, .tried = true, .timeout = d->send_timeout};
	unsigned sent = 0;
	while (sent < n) {
		int r = real.sendmmsg(fd, msgs + sent, n - sent, flags | MSG_DONTWAIT);
		if (r < 0 && errno != EAGAIN)
			return sent > 0 ? (ssize_t)sent : -errno;
		if (r > 0) {
			sent += (unsigned)r;
			wait.vain = wait.naps = 0;
			wait.moved = true;
			wait.deadline = 0;
			continue;
		}
		r = io_wait(&wait);
		if (r < 0)
			return sent > 0 ? (ssize_t)sent : r;
	}
	return (ssize_t)sent;
}

/* On a stream each message goes out whole before the next; one that does not is the last. */
static ssize_t send_each(int fd, struct description *d, struct mmsghdr *msgs, unsigned n, int flags)
{
	for (unsigned i = 0; i < n; i++) {
		const struct msghdr *m = &msgs[i].msg_hdr;
		ssize_t r = socket_send_message(fd, d, m, flags);
		if (r < 0)
			return i > 0 ? (ssize_t)i : r;
		msgs[i].msg_len = (unsigned)r;
		if (r < io_vector_size(m->msg_iov, (int)m->msg_iovlen))
			return (ssize_t)i + 1;
	}
	return (ssize_t)n;
}

APART static int sendmmsg_started(int fd, struct mmsghdr *msgs, unsigned n, int flags)
{
	int saved = errno;
	struct description *d = NULL;
	for (unsigned i = 0; i < n && i < MOST; i++)
		if (msgs[i].msg_hdr.msg_controllen)
			socket_note_sent(&msgs[i].msg_hdr);
	if (patch_green()) {
		io_cancellation_point();
		d = n > 0 ? socket_blocking(fd, flags & ~(MSG_OOB | MSG_ERRQUEUE)) : NULL;
	}
	ssize_t r;
	if (d == NULL) {
		r = real.sendmmsg(fd, msgs, n, flags);
	} else {
		n = n > MOST ? MOST : n;
		r = d->kind == FD_STREAM ? send_each(fd, d, msgs, n, flags) : send_many(fd, d, msgs, n, flags);
		r = io_result(r, saved);
	}
	return (int)r;
}

int patch_sendmmsg(int fd, struct mmsghdr *msgs, unsigned n, int flags)
{
	return likely(!patch_started) ? real.sendmmsg(fd, msgs, n, flags) : sendmmsg_started(fd, msgs, n, flags);
}
EXPORT(sendmmsg);
