/* recv, recvfrom, send, sendto: MSG_DONTWAIT, and the loop of transfer.h. socket_receive and socket_send leave errno as it is.
 *
 * A request on a kept-open connection costs its recv and its send. After a short read the next one waits first: a
 * stream socket that gave less than asked is empty, and trying would only fetch EAGAIN.
 *
 * The tries are bare system calls: see kernel.h. Where another library was preloaded between us and libc, they are its functions. */
#define PATCH_FAMILY PATCH_FAMILY_SOCKET

#include "shim/libc/socket.h"

#include <poll.h>
#include <sys/ioctl.h>

#include "shim/libc/kernel.h"

/* With these recv does not wait where a socket has such: the out-of-band byte of a stream, the error queue of all but Unix sockets are there or not
 * (tcp_recv_urg, sock_recv_errqueue). Others pay no attention to them (udp_recvmsg, unix_dgram_recvmsg). */
static bool is_at_once(const struct description *d, int flags)
{
	return (flags & MSG_OOB && d->kind == FD_STREAM) || (flags & MSG_ERRQUEUE && !d->local);
}

/* As socket_blocking, for the calls that a request makes. */
static inline __attribute__((always_inline)) struct description *blocking(int fd, int flags)
{
	if (flags & MSG_DONTWAIT)
		return NULL;
	struct description *d = fds_get(fd);
	if (unlikely(flags & (MSG_OOB | MSG_ERRQUEUE)) && d && is_at_once(d, flags))
		return NULL;
	return d && (d->kind == FD_STREAM || d->kind == FD_MESSAGE) && !d->wish ? d : NULL;
}

struct description *socket_blocking(int fd, int flags)
{
	return blocking(fd, flags);
}

void socket_note_drained(struct description *d, size_t asked, ssize_t n, int flags)
{
	uint8_t drained = (size_t)n < asked;
	if (d->kind == FD_STREAM && n > 0 && !(flags & MSG_PEEK) && d->drained != drained)
		__atomic_store_n(&d->drained, drained, __ATOMIC_RELAXED);
}

ssize_t socket_note_empty(int fd, ssize_t n, int flags)
{
	if (likely(n >= 0 || errno != EAGAIN || flags & (MSG_OOB | MSG_ERRQUEUE)))
		return n;
	struct description *d = fds_peek(fd);
	if (d && d->kind == FD_STREAM && !d->drained)
		__atomic_store_n(&d->drained, 1, __ATOMIC_RELAXED);
	return n;
}

ssize_t socket_read_at_once(int fd, ssize_t r, int flags)
{
	if (likely(r >= 0))
		return r;
	errno = (int)-r;
	return socket_note_empty(fd, -1, flags);
}

bool socket_blind(const struct description *d, size_t missing)
{
	return d->kind == FD_STREAM && missing < d->low && d->low > 1;
}

bool socket_failed(int fd)
{
	struct pollfd p = {.fd = fd};
	return io_poll(&p, 1) > 0 && (p.revents & POLLERR);
}

static __attribute__((noinline, cold)) ssize_t receive_by_name(int fd, void *buf, size_t n, int flags,
							       struct sockaddr *from, socklen_t *size)
{
	int saved = errno;
	ssize_t r = real.recvfrom(fd, buf, n, flags, from, size);
	r = r >= 0 ? r : -errno;
	errno = saved;
	return r;
}

static inline ssize_t try_receive(int fd, void *buf, size_t n, int flags, struct sockaddr *from, socklen_t *size)
{
	return likely(!patch_above_another) ? kernel_recvfrom(fd, buf, n, flags, from, size)
					    : receive_by_name(fd, buf, n, flags, from, size);
}

static __attribute__((noinline, cold)) ssize_t send_by_name(int fd, const void *buf, size_t n, int flags,
							    const struct sockaddr *to, socklen_t size)
{
	int saved = errno;
	ssize_t r = real.sendto(fd, buf, n, flags, to, size);
	r = r >= 0 ? r : -errno;
	errno = saved;
	return r;
}

static inline ssize_t try_send(int fd, const void *buf, size_t n, int flags, const struct sockaddr *to, socklen_t size)
{
	return likely(!patch_above_another) ? kernel_sendto(fd, buf, n, flags, to, size)
					    : send_by_name(fd, buf, n, flags, to, size);
}

size_t socket_more(int fd, const struct description *d, size_t left)
{
	int queued = 0;
	/* A Unix stream that has got something takes the error with it, natively too (unix_stream_read_generic). */
	if (d->local || !socket_failed(fd))
		return left;
	if (real.ioctl(fd, FIONREAD, (unsigned long)&queued) < 0 || queued <= 0)
		return 0;
	return (size_t)queued < left ? (size_t)queued : left;
}

bool socket_ended(const struct io_wait *wait, const struct description *d)
{
	struct pollfd p = {.fd = wait->fd, .events = POLLRDHUP};
	int queued = 0;
	if (wait->vain == 0 || d->kind != FD_MESSAGE || io_poll(&p, 1) <= 0 || !(p.revents & POLLRDHUP))
		return false;
	/* Its last messages may have come since EAGAIN, before its peer was closed. */
	return real.ioctl(wait->fd, FIONREAD, (unsigned long)&queued) < 0 || queued == 0;
}

static ssize_t attempt_receive(struct transfer *t)
{
	size_t left = t->size - t->done;
	if (t->done > 0 && (left = socket_more(t->wait.fd, t->about, left)) == 0)
		return 0;
	ssize_t n = try_receive(t->wait.fd, t->at + t->done, left, t->flags, t->peer, t->peer_room);
	if (n == -EAGAIN && socket_ended(&t->wait, t->about)) {
		if (t->peer)
			*t->peer_room = 0;
		return 0;
	}
	if (n < 0)
		return n;
	socket_note_drained(t->about, left, n, t->flags);
	t->wait.blind = socket_blind(t->about, t->enough - t->done - (size_t)n);
	return n;
}

/* MSG_PEEK takes nothing away, so readiness comes at once however little there is: ask again and again, until the
 * bytes are there, or none will come any more. */
static ssize_t peek(struct transfer *t, size_t enough)
{
	for (;;) {
		ssize_t n = t->attempt(t);
		if ((n < 0 && n != -EAGAIN) || n == 0 || n >= (ssize_t)enough)
			return n;
		struct pollfd p = {.fd = t->wait.fd, .events = POLLRDHUP};
		if (n > 0 && io_poll(&p, 1) > 0)
			return n;
		int r = n > 0 ? io_backoff(&t->wait) : io_wait(&t->wait);
		if (r < 0)
			return n > 0 ? n : r;
	}
}

ssize_t socket_run_receive(struct transfer *t, int flags)
{
	/* The kernel's sock_rcvlowat. A message is whole at once. */
	size_t n = t->size, enough = 0;
	if (t->about->kind == FD_STREAM)
		enough = flags & MSG_WAITALL ? n : t->about->low < n ? t->about->low : n;
	/* There a peek looks at what is queued and waits for no more (unix_stream_read_generic). */
	if ((flags & MSG_PEEK) && enough > 1 && !t->about->local)
		return peek(t, enough);
	t->enough = flags & MSG_PEEK ? 0 : enough;
	t->wait.blind = socket_blind(t->about, t->enough);
	ssize_t r = io_transfer(t, t->about->drained);
	/* tcp_recvmsg_locked asks for bytes only while some are wanted: of none, it has got all even when the
	 * timeout ends its wait. */
	if (unlikely(r == -EAGAIN && n == 0 && t->about->kind == FD_STREAM && !t->about->local))
		return 0;
	return r;
}

static ssize_t receive_as_message(int fd, struct description *d, void *buf, size_t n, int flags, struct sockaddr *from,
				  socklen_t *room)
{
	struct iovec v = {buf, n};
	struct msghdr msg = {.msg_name = from, .msg_namelen = from ? *room : 0, .msg_iov = &v, .msg_iovlen = 1};
	int saved = errno;
	ssize_t r = socket_receive_message(fd, d, &msg, flags);
	errno = saved;
	if (r >= 0 && from)
		*room = msg.msg_namelen;
	return r;
}

APART static ssize_t receive_generally(int fd, struct description *d, void *buf, size_t n, int flags,
				       struct sockaddr *from, socklen_t *room)
{
	struct transfer t;
	int saved = errno;
	/* Where such bytes end that belong together, only recvmsg tells. */
	if (d->local && (flags & MSG_WAITALL || d->low > 1) && (from == NULL || room))
		return receive_as_message(fd, d, buf, n, flags, from, room);
	io_begin(&t, attempt_receive, d, fd, GEV_READABLE, d->receive_timeout, flags | MSG_DONTWAIT);
	t.at = buf;
	t.size = n;
	t.peer = from;
	t.peer_room = room;
	ssize_t r = socket_run_receive(&t, flags);
	errno = saved;
	return r;
}

/* The next request on a kept-open connection: wait, then read. What the general way does too, but a parked thread has to fetch every line of its
 * stack again, and this way leaves a third of them. -EAGAIN: the general way must go on. */
static inline __attribute__((always_inline)) ssize_t receive_next(int fd, struct description *d, void *buf, size_t n)
{
	uint32_t life = d->life, reused = __atomic_load_n(&fds_reused, __ATOMIC_ACQUIRE);
	int r = patch_gev->fd_wait(fd, GEV_READABLE, GEV_NEVER,
				   GEV_PARK_KILLABLE | GEV_PARK_INTERRUPTIBLE | GEV_FD_SOCKET);
	__builtin_prefetch(d, 1); /* there while the kernel works */
	/* Another thread may have closed the number, also between our wake and our turn. */
	if (unlikely(fds_peek(fd) != d))
		return -EBADF;
	if (unlikely(__atomic_load_n(&fds_reused, __ATOMIC_ACQUIRE) != reused) && d->life != life)
		return -EBADF;
	if (unlikely(r <= 0))
		return -EAGAIN;
	ssize_t got = kernel_recvfrom(fd, buf, n, MSG_DONTWAIT, NULL, NULL);
	if (likely(got >= 0))
		socket_note_drained(d, n, got, 0);
	return got;
}

/* Inline, as receive_next is: each return between a park and the program's own code is one that the processor predicts wrongly. */
static inline __attribute__((always_inline)) ssize_t receive(int fd, struct description *d, void *buf, size_t n,
							     int flags, struct sockaddr *from, socklen_t *room)
{
	if (likely(d->drained && flags == 0 && from == NULL && n > 0 && d->receive_timeout == GEV_NEVER &&
		   d->low <= 1 && !patch_above_another)) {
		ssize_t got = receive_next(fd, d, buf, n);
		if (likely(got != -EAGAIN))
			return got;
	}
	return receive_generally(fd, d, buf, n, flags, from, room);
}

ssize_t socket_receive(int fd, struct description *d, void *buf, size_t n, int flags, struct sockaddr *from,
		       socklen_t *room)
{
	return receive(fd, d, buf, n, flags, from, room);
}

static ssize_t attempt_send(struct transfer *t)
{
	size_t left = t->size - t->done;
	if (t->done > 0) {
		/* A native call that has sent something returns the count, and raises no SIGPIPE and takes no error
		 * with it. */
		if (socket_failed(t->wait.fd))
			return 0;
		t->flags |= MSG_NOSIGNAL;
	}
	ssize_t n = try_send(t->wait.fd, t->at + t->done, left, t->flags, t->peer, t->peer_size);
	if (n >= 0)
		return n;
	/* TCP fast open: this call has begun to connect, and has sent nothing. */
	if (n == -EINPROGRESS) {
		t->flags &= ~MSG_FASTOPEN;
		t->peer = NULL;
		return -EAGAIN;
	}
	return n;
}

APART static ssize_t send_generally(int fd, struct description *d, const void *buf, size_t n, int flags,
				    const struct sockaddr *to, socklen_t size, ssize_t done)
{
	struct transfer t;
	int saved = errno;
	io_begin(&t, attempt_send, d, fd, GEV_WRITABLE, d->send_timeout, flags | MSG_DONTWAIT);
	t.enough = d->kind == FD_STREAM ? n : 0;
	t.at = (char *)buf;
	t.size = n;
	t.peer = (struct sockaddr *)to;
	t.peer_size = size;
	t.done = done > 0 ? (size_t)done : 0;
	t.wait.tried = done != 0;
	t.wait.moved = done > 0;
	ssize_t r = io_transfer(&t, done != 0);
	errno = saved;
	return r;
}

/* Nearly always the kernel takes all of it at once. */
static inline __attribute__((always_inline)) ssize_t transmit(int fd, struct description *d, const void *buf, size_t n,
							      int flags, const struct sockaddr *to, socklen_t size)
{
	ssize_t done = 0;
	if (likely((flags & ~MSG_NOSIGNAL) == 0 && d->kind == FD_STREAM && !patch_above_another)) {
		done = kernel_sendto(fd, buf, n, flags | MSG_DONTWAIT, to, size);
		/* TCP_FASTOPEN_CONNECT: this call has begun to connect, and has sent nothing. */
		if (unlikely(done == -EINPROGRESS))
			done = -EAGAIN;
		if (likely(done == (ssize_t)n || (done < 0 && done != -EAGAIN)))
			return done;
	}
	return send_generally(fd, d, buf, n, flags, to, size, done);
}

ssize_t socket_send(int fd, struct description *d, const void *buf, size_t n, int flags, const struct sockaddr *to,
		    socklen_t size)
{
	return transmit(fd, d, buf, n, flags, to, size);
}

APART static ssize_t recv_at_once(int fd, void *buf, size_t n, int flags)
{
	io_cancellation_point();
	return socket_read_at_once(fd, kernel_recvfrom(fd, buf, n, flags, NULL, NULL), flags);
}

APART static ssize_t recv_green(int fd, void *buf, size_t n, int flags)
{
	io_cancellation_point();
	struct description *d = blocking(fd, flags);
	if (unlikely(d == NULL))
		return socket_note_empty(fd, real.recv(fd, buf, n, flags), flags);
	return io_answer(receive(fd, d, buf, n, flags, NULL, NULL));
}

ssize_t patch_recv(int fd, void *buf, size_t n, int flags)
{
	if (patch_enters[PATCH_FAMILY] && socket_at_once(fd))
		return recv_at_once(fd, buf, n, flags);
	return patch_green() ? recv_green(fd, buf, n, flags) : real.recv(fd, buf, n, flags);
}
EXPORT(recv);

APART static ssize_t recvfrom_green(int fd, void *buf, size_t n, int flags, struct sockaddr *from, socklen_t *size)
{
	io_cancellation_point();
	struct description *d = socket_blocking(fd, flags);
	if (d == NULL)
		return socket_note_empty(fd, real.recvfrom(fd, buf, n, flags, from, size), flags);
	return io_answer(socket_receive(fd, d, buf, n, flags, from, size));
}

APART static ssize_t recvfrom_at_once(int fd, void *buf, size_t n, int flags, struct sockaddr *from, socklen_t *size)
{
	io_cancellation_point();
	return socket_read_at_once(fd, kernel_recvfrom(fd, buf, n, flags, from, size), flags);
}

ssize_t patch_recvfrom(int fd, void *buf, size_t n, int flags, struct sockaddr *from, socklen_t *size)
{
	if (patch_enters[PATCH_FAMILY] && socket_at_once(fd))
		return recvfrom_at_once(fd, buf, n, flags, from, size);
	if (!patch_green())
		return real.recvfrom(fd, buf, n, flags, from, size);
	return recvfrom_green(fd, buf, n, flags, from, size);
}
EXPORT(recvfrom);

/* _FORTIFY_SOURCE: libc's own ends the program when the buffer is smaller than the request. */
ssize_t patch___recv_chk(int fd, void *buf, size_t n, size_t room, int flags)
{
	return n > room ? real.__recv_chk(fd, buf, n, room, flags) : patch_recv(fd, buf, n, flags);
}
EXPORT(__recv_chk);

ssize_t patch___recvfrom_chk(int fd, void *buf, size_t n, size_t room, int flags, struct sockaddr *from,
			     socklen_t *size)
{
	if (n > room)
		return real.__recvfrom_chk(fd, buf, n, room, flags, from, size);
	return patch_recvfrom(fd, buf, n, flags, from, size);
}
EXPORT(__recvfrom_chk);

APART static ssize_t send_at_once(int fd, const void *buf, size_t n, int flags)
{
	io_cancellation_point();
	return patch_result(kernel_sendto(fd, buf, n, flags, NULL, 0));
}

APART static ssize_t send_green(int fd, const void *buf, size_t n, int flags)
{
	io_cancellation_point();
	struct description *d = blocking(fd, flags & ~(MSG_OOB | MSG_ERRQUEUE));
	return likely(d) ? io_answer(transmit(fd, d, buf, n, flags, NULL, 0)) : real.send(fd, buf, n, flags);
}

ssize_t patch_send(int fd, const void *buf, size_t n, int flags)
{
	if (patch_enters[PATCH_FAMILY] && socket_at_once(fd))
		return send_at_once(fd, buf, n, flags);
	return patch_green() ? send_green(fd, buf, n, flags) : real.send(fd, buf, n, flags);
}
EXPORT(send);
EXPORT_AS(__send, send);

APART static ssize_t sendto_green(int fd, const void *buf, size_t n, int flags, const struct sockaddr *to,
				  socklen_t size)
{
	io_cancellation_point();
	struct description *d = socket_blocking(fd, flags & ~(MSG_OOB | MSG_ERRQUEUE));
	if (d == NULL)
		return real.sendto(fd, buf, n, flags, to, size);
	return io_answer(socket_send(fd, d, buf, n, flags, to, size));
}

APART static ssize_t sendto_at_once(int fd, const void *buf, size_t n, int flags, const struct sockaddr *to,
				    socklen_t size)
{
	io_cancellation_point();
	return patch_result(kernel_sendto(fd, buf, n, flags, to, size));
}

ssize_t patch_sendto(int fd, const void *buf, size_t n, int flags, const struct sockaddr *to, socklen_t size)
{
	if (patch_enters[PATCH_FAMILY] && socket_at_once(fd))
		return sendto_at_once(fd, buf, n, flags, to, size);
	if (!patch_green())
		return real.sendto(fd, buf, n, flags, to, size);
	return sendto_green(fd, buf, n, flags, to, size);
}
EXPORT(sendto);
