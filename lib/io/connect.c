/* Making connections and taking them: gev/socket.h. */
#include <gev/socket.h>

#include <fcntl.h>
#include <stdbool.h>

#include "lib/base/result.h"
#include "lib/base/sys.h"
#include "lib/io/address.h"
#include "lib/io/operation.h"
#include "lib/io/readiness.h"
#include "lib/io/resolve.h"

/* ---- Accept ---- */

static int do_accept(struct gev__operation *op, struct sockaddr *address, socklen_t *length, int flags)
{
	/* There is no MSG_DONTWAIT for accept. */
	int r = gev__sys.fcntl(op->fd, F_GETFL, 0);
	if (r < 0)
		return -errno;
	bool blocks = !(r & O_NONBLOCK);
	for (;;) {
		struct pollfd now = {.fd = op->fd, .events = POLLIN};
		if (blocks && gev__sys.poll(&now, 1, 0) <= 0) {
			r = gev__operation_wait(op, GEV_READABLE);
		} else {
			int fd = gev__sys.accept4(op->fd, address, length, flags);
			if (fd >= 0) {
				gev__fd_note_accepted(op->fd, fd);
				return fd;
			}
			r = gev__operation_again(op, GEV_READABLE);
		}
		if (r < 0)
			return r;
	}
}

int gev_accept4(int fd, struct sockaddr *address, socklen_t *length, int flags, double timeout)
{
	struct gev__operation op;
	int r = gev__operation_begin(&op, fd, timeout);
	return (int)gev__result(r < 0 ? r : do_accept(&op, address, length, flags));
}

int gev_accept(int fd, struct sockaddr *address, socklen_t *length, double timeout)
{
	return gev_accept4(fd, address, length, SOCK_NONBLOCK | SOCK_CLOEXEC, timeout);
}

/* ---- Connect ---- */

/* 0 or the error number. */
static int attempt(int fd, const struct sockaddr *address, socklen_t length, int restore)
{
	if (restore >= 0 && gev__sys.fcntl(fd, F_SETFL, restore | O_NONBLOCK))
		return errno;
	int error = gev__sys.connect(fd, address, length) ? errno : 0;
	if (restore >= 0)
		gev__sys.fcntl(fd, F_SETFL, restore);
	return error;
}

/* The end is learnt by calling connect again: it gives the connection's error, and then the socket may be connected anew, as natively. */
static int do_connect(struct gev__operation *op, const struct sockaddr *address, socklen_t length)
{
	int flags = gev__sys.fcntl(op->fd, F_GETFL, 0);
	if (flags < 0)
		return -errno;
	int restore = flags & O_NONBLOCK ? -1 : flags;
	bool begun = false;
	for (;;) {
		int r, error = attempt(op->fd, address, length, restore);
		switch (error) {
		case 0:
			return 0;
		case EISCONN:
			return begun ? 0 : -EISCONN;
		case EINPROGRESS:
		case EALREADY:
		case EINTR: /* it goes on in the background, as after EINPROGRESS (connect(2)) */
			begun = true;
			r = gev__operation_wait(op, GEV_WRITABLE);
			break;
		case EAGAIN: /* a Unix listener whose queue is full; it tells nobody when it no longer is */
			r = gev__operation_nap(op);
			break;
		default:
			return -error;
		}
		if (r < 0)
			return r;
	}
}

int gev_connect(int fd, const struct sockaddr *address, socklen_t length, double timeout)
{
	struct gev__operation op;
	int r = gev__operation_begin(&op, fd, timeout);
	return (int)gev__result(r < 0 ? r : do_connect(&op, address, length));
}

/* ---- By text ---- */

/* What is to become of a text: a listener, or a connection until the deadline. */
struct by_text {
	bool listens;
	int backlog;
	int64_t deadline;
};

static int begin_listening(int fd, const struct sockaddr *address, socklen_t length, int backlog)
{
	int one = 1;
	if (gev__sys.setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) || gev__sys.bind(fd, address, length) ||
	    gev__sys.listen(fd, backlog))
		return -errno;
	return 0;
}

/* A socket for that address, or -errno. */
static int one_address(const struct by_text *how, const struct sockaddr *address, socklen_t length)
{
	int fd = gev__sys.socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	struct gev__operation op = {.fd = fd, .deadline = how->deadline};
	int r = how->listens ? begin_listening(fd, address, length, how->backlog) : do_connect(&op, address, length);
	if (r == 0)
		return fd;
	gev_close(fd);
	return r;
}

static int by_text(const char *text, const struct by_text *how)
{
	struct sockaddr_storage address;
	socklen_t length;
	int r = gev__address_parse(text, how->listens, &address, &length);
	if (r == 0)
		return one_address(how, (struct sockaddr *)&address, length);
	if (r != -EINVAL)
		return r;
	struct addrinfo *list = NULL;
	r = gev__kill_point();
	if (r == 0)
		r = gev__resolve(text, how->listens, how->deadline, &list);
	if (r < 0)
		return r;
	r = -ENOENT;
	for (const struct addrinfo *a = list; a && r < 0 && r != -ETIMEDOUT && r != -ECANCELED; a = a->ai_next)
		r = one_address(how, a->ai_addr, a->ai_addrlen);
	gev__resolved_free(list);
	return r;
}

int gev_listen(const char *host_port, int backlog)
{
	return (int)gev__result(
		by_text(host_port, &(struct by_text){.listens = true, .backlog = backlog, .deadline = NEVER}));
}

int gev_dial(const char *host_port, double timeout)
{
	struct gev__operation op;
	int r = gev__operation_begin(&op, -1, timeout);
	return (int)gev__result(r < 0 ? r : by_text(host_port, &(struct by_text){.deadline = op.deadline}));
}
