/* transfer.h: the loop of every call that moves bytes: try, wait, try again, until enough has moved.
 *
 * Reading is enough after the first bytes, or after SO_RCVLOWAT or MSG_WAITALL many. Writing to a stream is enough
 * when all is written, as a native blocking write (POSIX write(), "shall block until all"); a message goes as one.
 * A timeout or an error after some bytes gives their count, as native. */
#ifndef SHIM_LIBC_TRANSFER_H
#define SHIM_LIBC_TRANSFER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "shim/fds/fds.h"
#include "shim/libc/wait.h"

struct transfer {
	/* The call that does not block, on what is left: a count or -errno. 0 ends the transfer. */
	ssize_t (*attempt)(struct transfer *t);
	struct description *about;
	struct io_wait wait;
	size_t enough;
	size_t done;
	int flags;
	/* What is moved: a buffer, or a vector, or a message. */
	char *at;
	size_t size;
	const struct iovec *vector;
	int vectors;
	struct msghdr *message;
	const struct msghdr *as_given;
	/* recvfrom and sendto */
	struct sockaddr *peer;
	socklen_t *peer_room;
	socklen_t peer_size;
};

/* Begins one, by single stores: a zeroed whole costs as much as all the rest of a call that succeeds at once. What
 * is moved is the caller's to fill in; `enough` is 0. */
static inline void io_begin(struct transfer *t, ssize_t (*attempt)(struct transfer *t), struct description *about,
			    int fd, int way, int64_t timeout, int flags)
{
	t->attempt = attempt;
	t->about = about;
	t->wait.fd = fd;
	t->wait.way = way;
	t->wait.vain = t->wait.naps = 0;
	t->wait.tried = t->wait.blind = t->wait.moved = false;
	t->wait.timeout = timeout;
	t->wait.deadline = 0;
	t->enough = t->done = 0;
	t->flags = flags;
}

/* A count or -errno; IO_NEVER_BLOCKS if nothing was moved and nothing ever will have to wait. */
ssize_t io_transfer(struct transfer *t, bool wait_first);

/* A view of the part of a vector that is left after `done` bytes, without touching the caller's. At most IO_VIEW
 * entries of it when it must be copied: what they leave over is the next attempt's. */
enum { IO_VIEW = 8 };
struct io_view {
	const struct iovec *v;
	int n;
	struct iovec copy[IO_VIEW];
};
void io_view(struct io_view *view, const struct iovec *v, int n, size_t done);
/* Sum of the lengths, -EINVAL if it does not fit into ssize_t. */
ssize_t io_vector_size(const struct iovec *v, int n);

#endif
