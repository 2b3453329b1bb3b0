/* recvmsg and sendmsg, and what SCM_RIGHTS does to the numbers in it. */
#define PATCH_FAMILY PATCH_FAMILY_SOCKET

#include <limits.h>
#include <string.h>

#include "shim/libc/close.h"
#include "shim/libc/kernel.h"
#include "shim/libc/socket.h"

/* The descriptors that a message carries, one by one. */
static void each_right(struct msghdr *msg, void (*visit)(int fd))
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t at = CMSG_LEN(0); at + sizeof(int) <= c->cmsg_len; at += sizeof(int)) {
			int fd;
			memcpy(&fd, (char *)c + at, sizeof fd);
			visit(fd);
		}
	}
}

/* Received numbers are new ones, by whatever way the old ones of that name went. */
void socket_note_received(struct msghdr *msg)
{
	if (msg->msg_controllen)
		each_right(msg, fd_begins);
}

void socket_empty(struct msghdr *msg)
{
	if (msg->msg_name)
		msg->msg_namelen = 0;
	msg->msg_controllen = 0;
	msg->msg_flags = 0;
}

/* A receiving transfer that may take several pieces, and whose they are. The kernel's one call would end where the next piece is another process's, if
 * the program has asked for credentials, and after a piece that came with descriptors (unix_stream_read_generic). */
struct receipt {
	struct transfer t;
	struct ucred writer;
	/* For those who have made no room for credentials: a piece is then known to have come with more. */
	_Alignas(struct cmsghdr) char room[CMSG_SPACE(sizeof(struct ucred))];
};

static bool came_with_rights(struct msghdr *msg)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c))
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type != SCM_CREDENTIALS)
			return true;
	return false;
}

/* Whether it matters whose a piece is: of one byte there are no two. */
static bool tells_writers_apart(const struct transfer *t)
{
	return t->about->credentials && t->enough > 1;
}

/* Takes a piece. msg's room is the program's. */
static ssize_t take(struct receipt *r, struct msghdr *msg)
{
	struct transfer *t = &r->t;
	bool hidden =
		tells_writers_apart(t) && (msg->msg_control == NULL || msg->msg_controllen < sizeof(struct cmsghdr));
	if (hidden) {
		msg->msg_control = r->room;
		msg->msg_controllen = sizeof r->room;
	}
	ssize_t n = real.recvmsg(t->wait.fd, msg, t->flags);
	if (n > 0 && t->about->local && (came_with_rights(msg) || (msg->msg_flags & MSG_CTRUNC)))
		t->enough = 0;
	if (hidden && n >= 0) {
		msg->msg_controllen = 0;
		msg->msg_flags |= MSG_CTRUNC;
	}
	return n;
}

/* Whose the next piece is: 1, 0 at the end, -1 and errno. */
static ssize_t look_at_writer(struct receipt *r, struct ucred *writer)
{
	char byte;
	struct iovec v = {&byte, 1};
	struct msghdr msg = {.msg_iov = &v, .msg_iovlen = 1, .msg_control = r->room, .msg_controllen = sizeof r->room};
	ssize_t n = real.recvmsg(r->t.wait.fd, &msg, MSG_PEEK | MSG_DONTWAIT);
	struct cmsghdr *c = n > 0 ? CMSG_FIRSTHDR(&msg) : NULL;
	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_CREDENTIALS)
		memcpy(writer, CMSG_DATA(c), sizeof *writer);
	return n;
}

/* With SO_PEEK_OFF a look would move the program's next one. */
static bool may_look(const struct transfer *t)
{
	int at = -1;
	socklen_t size = sizeof at;
	return tells_writers_apart(t) &&
	       (real.getsockopt(t->wait.fd, SOL_SOCKET, SO_PEEK_OFF, &at, &size) < 0 || at < 0);
}

static ssize_t receive_first(struct receipt *r)
{
	struct transfer *t = &r->t;
	ssize_t n = may_look(t) ? look_at_writer(r, &r->writer) : 1;
	if (n < 0)
		return n;
	*t->message = *t->as_given;
	n = take(r, t->message);
	if (n < 0 && errno == EAGAIN && socket_ended(&t->wait, t->about)) {
		socket_empty(t->message);
		return 0;
	}
	return n;
}

/* Descriptors may come with later bytes too, and end the message there. */
static ssize_t receive_more(struct receipt *r, size_t left)
{
	struct transfer *t = &r->t;
	struct io_view view;
	struct iovec queued;
	if (may_look(t)) {
		struct ucred writer = r->writer;
		ssize_t n = look_at_writer(r, &writer);
		if (n <= 0 || memcmp(&writer, &r->writer, sizeof writer) != 0)
			return n < 0 ? n : 0;
	}
	io_view(&view, t->as_given->msg_iov, (int)t->as_given->msg_iovlen, t->done);
	size_t most = socket_more(t->wait.fd, t->about, left);
	if (most == 0)
		return 0;
	if (most < left) {
		queued = view.v[0];
		queued.iov_len = queued.iov_len < most ? queued.iov_len : most;
		view.v = &queued;
		view.n = 1;
	}
	struct msghdr rest = {.msg_iov = (struct iovec *)view.v, .msg_iovlen = (size_t)view.n};
	/* Had there been more than credentials, which come again, this would not be reached. */
	bool room = t->about->local || t->message->msg_controllen == 0;
	if (room) {
		rest.msg_control = t->as_given->msg_control;
		rest.msg_controllen = t->as_given->msg_controllen;
	}
	ssize_t n = take(r, &rest);
	if (n > 0) {
		t->message->msg_flags |= rest.msg_flags;
		if (room)
			t->message->msg_controllen = rest.msg_controllen;
	}
	return n;
}

static ssize_t attempt_receive(struct transfer *t)
{
	struct receipt *r = (struct receipt *)(void *)t;
	size_t left = t->size - t->done;
	ssize_t n = t->done == 0 ? receive_first(r) : receive_more(r, left);
	if (n < 0)
		return -errno;
	socket_note_drained(t->about, left, n, t->flags);
	t->wait.blind = socket_blind(t->about, t->enough - t->done - (size_t)n);
	return n;
}

/* Sum of the message's vector; 0 for one that the kernel will refuse. */
static size_t size_of(const struct msghdr *msg)
{
	ssize_t size = msg->msg_iovlen <= IOV_MAX ? io_vector_size(msg->msg_iov, (int)msg->msg_iovlen) : 0;
	return size > 0 ? (size_t)size : 0;
}

ssize_t socket_receive_message(int fd, struct description *d, struct msghdr *msg, int flags)
{
	struct msghdr as_given = *msg;
	struct receipt r;
	io_begin(&r.t, attempt_receive, d, fd, GEV_READABLE, d->receive_timeout, flags | MSG_DONTWAIT);
	r.t.size = size_of(msg);
	r.t.message = msg;
	r.t.as_given = &as_given;
	return socket_run_receive(&r.t, flags);
}

static ssize_t attempt_send(struct transfer *t)
{
	int fd = t->wait.fd;
	struct msghdr rest = *t->as_given;
	struct io_view view;
	if (t->done > 0) {
		if (socket_failed(fd))
			return 0;
		t->flags |= MSG_NOSIGNAL;
		/* Descriptors and addresses went with the first bytes. */
		io_view(&view, rest.msg_iov, (int)rest.msg_iovlen, t->done);
		rest = (struct msghdr){.msg_iov = (struct iovec *)view.v, .msg_iovlen = (size_t)view.n};
	}
	ssize_t n = real.sendmsg(fd, &rest, t->flags);
	if (n >= 0)
		return n;
	/* TCP fast open: this call has begun to connect, and has sent nothing. */
	if (errno == EINPROGRESS) {
		t->flags &= ~MSG_FASTOPEN;
		return -EAGAIN;
	}
	return -errno;
}

ssize_t socket_send_message(int fd, struct description *d, const struct msghdr *msg, int flags)
{
	struct transfer t;
	io_begin(&t, attempt_send, d, fd, GEV_WRITABLE, d->send_timeout, flags | MSG_DONTWAIT);
	t.size = size_of(msg);
	t.enough = d->kind == FD_STREAM ? t.size : 0;
	t.as_given = msg;
	return io_transfer(&t, false);
}

static ssize_t receive(int fd, struct msghdr *msg, int flags)
{
	if (!patch_green())
		return real.recvmsg(fd, msg, flags);
	io_cancellation_point();
	int saved = errno;
	struct description *d = msg ? socket_blocking(fd, flags) : NULL;
	if (d == NULL)
		return socket_note_empty(fd, real.recvmsg(fd, msg, flags), flags);
	return io_result(socket_receive_message(fd, d, msg, flags), saved);
}

APART static ssize_t recvmsg_started(int fd, struct msghdr *msg, int flags)
{
	ssize_t r = receive(fd, msg, flags);
	if (r >= 0)
		socket_note_received(msg);
	return r;
}

APART static ssize_t recvmsg_at_once(int fd, struct msghdr *msg, int flags)
{
	io_cancellation_point();
	ssize_t r = kernel_recvmsg(fd, msg, flags);
	if (likely(r >= 0 && msg->msg_controllen == 0))
		return r;
	if (r >= 0)
		socket_note_received(msg);
	return socket_read_at_once(fd, r, flags);
}

ssize_t patch_recvmsg(int fd, struct msghdr *msg, int flags)
{
	if (patch_enters[PATCH_FAMILY] && socket_at_once(fd))
		return recvmsg_at_once(fd, msg, flags);
	return likely(!patch_started) ? real.recvmsg(fd, msg, flags) : recvmsg_started(fd, msg, flags);
}
EXPORT(recvmsg);

/* Who will have them may not know that they do not block for our sake. */
void socket_note_sent(const struct msghdr *msg)
{
	if (msg->msg_control)
		each_right((struct msghdr *)msg, fds_give_away);
}

APART static ssize_t deliver(int fd, const struct msghdr *msg, int flags)
{
	if (msg && msg->msg_controllen)
		socket_note_sent(msg);
	if (!patch_green())
		return real.sendmsg(fd, msg, flags);
	io_cancellation_point();
	int saved = errno;
	struct description *d = msg ? socket_blocking(fd, flags & ~(MSG_OOB | MSG_ERRQUEUE)) : NULL;
	return d ? io_result(socket_send_message(fd, d, msg, flags), saved) : real.sendmsg(fd, msg, flags);
}

APART static ssize_t sendmsg_at_once(int fd, const struct msghdr *msg, int flags)
{
	io_cancellation_point();
	if (msg && unlikely(msg->msg_controllen))
		socket_note_sent(msg);
	return patch_result(kernel_sendmsg(fd, msg, flags));
}

ssize_t patch_sendmsg(int fd, const struct msghdr *msg, int flags)
{
	if (patch_enters[PATCH_FAMILY] && socket_at_once(fd))
		return sendmsg_at_once(fd, msg, flags);
	return likely(!patch_started) ? real.sendmsg(fd, msg, flags) : deliver(fd, msg, flags);
}
EXPORT(sendmsg);
