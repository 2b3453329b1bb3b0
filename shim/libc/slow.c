/* Pipes, FIFOs, terminals, eventfds, timers, inotify and other character devices: their O_NONBLOCK is not ours to
 * set, because other processes share it. So RWF_NOWAIT where the kernel has it (pipes; reading eventfd, timerfd,
 * signalfd); elsewhere (EOPNOTSUPP: FIFOs, terminals, inotify, writing an eventfd) wait, look with poll, and make
 * the original call.
 *
 * Between that look and the call nothing else of this process runs; another process that shares the file may still
 * be faster, and the call then blocks. That is the price of leaving the flag alone. */
#include "shim/libc/slow.h"

#include <string.h>
#include <sys/ioctl.h>

#include "shim/libc/uncooked.h"

/* What a call without RWF_NOWAIT answers when the kernel or the file does not know the flag. */
static bool unsupported(void)
{
	return errno == EOPNOTSUPP || errno == ENOSYS;
}

static ssize_t attempt_read(struct transfer *t)
{
	int fd = t->wait.fd;
	if (!(t->about->no_nowait & GEV_READABLE)) {
		ssize_t n = real.preadv2(fd, t->vector, t->vectors, -1, RWF_NOWAIT);
		if (n >= 0 || !unsupported())
			return n >= 0 ? n : -errno;
		__atomic_fetch_or(&t->about->no_nowait, GEV_READABLE, __ATOMIC_RELAXED);
	}
	if (!io_ready(fd, GEV_READABLE))
		return -EAGAIN;
	ssize_t n = real.readv(fd, t->vector, t->vectors);
	return n >= 0 ? n : -errno;
}

/* Without RWF_NOWAIT: no more than what POLLOUT has promised. What fits in one piece goes as one, so that writes of
 * up to PIPE_BUF stay whole (POSIX write()). */
static ssize_t write_piece(struct transfer *t, const struct io_view *view)
{
	size_t piece = t->about->piece, left = t->size - t->done;
	ssize_t n;
	if (piece == 0 || left <= piece)
		n = real.writev(t->wait.fd, view->v, view->n);
	else
		n = real.write(t->wait.fd, view->v->iov_base, view->v->iov_len < piece ? view->v->iov_len : piece);
	return n >= 0 ? n : -errno;
}

/* POLLOUT on an eventfd says that one more can be added; for a larger number only the write itself knows. Hence
 * O_NONBLOCK around it, on and off while nothing else of this process runs. */
static bool may_overflow(const struct transfer *t)
{
	uint64_t value;
	if (!t->about->counter || t->size != sizeof value || t->vector->iov_len != sizeof value)
		return false;
	memcpy(&value, t->vector->iov_base, sizeof value);
	return value > 1;
}

static ssize_t write_number(struct transfer *t)
{
	int on = 1, off = 0;
	real.ioctl(t->wait.fd, FIONBIO, (unsigned long)&on);
	ssize_t n = real.writev(t->wait.fd, t->vector, t->vectors);
	if (n < 0)
		n = -errno;
	real.ioctl(t->wait.fd, FIONBIO, (unsigned long)&off);
	return n;
}

static ssize_t attempt_write(struct transfer *t)
{
	int fd = t->wait.fd;
	struct io_view view;
	io_view(&view, t->vector, t->vectors, t->done);
	if (!(t->about->no_nowait & GEV_WRITABLE)) {
		ssize_t n = real.pwritev2(fd, view.v, view.n, -1, RWF_NOWAIT);
		if (n >= 0 || !unsupported())
			return n >= 0 ? n : -errno;
		__atomic_fetch_or(&t->about->no_nowait, GEV_WRITABLE, __ATOMIC_RELAXED);
	}
	if (may_overflow(t))
		return write_number(t);
	return io_ready(fd, GEV_WRITABLE) ? write_piece(t, &view) : -EAGAIN;
}

static ssize_t transfer(struct transfer *t)
{
	ssize_t r = io_transfer(t, false);
	/* epoll refuses it (/dev/null, /dev/zero…): so says the kernel of files that never block. */
	if (r == IO_NEVER_BLOCKS)
		t->about->kind = FD_PLAIN;
	return r;
}

ssize_t slow_read(int fd, struct description *d, const struct iovec *v, int n)
{
	struct transfer t;
	struct uncooked how;
	if (d->piece == FDS_LINE && uncooked(fd, &how))
		return uncooked_read(fd, v, n, (size_t)io_vector_size(v, n), &how);
	io_begin(&t, attempt_read, d, fd, GEV_READABLE, GEV_NEVER, 0);
	t.vector = v;
	t.vectors = n;
	return transfer(&t);
}

ssize_t slow_write(int fd, struct description *d, const struct iovec *v, int n, size_t size)
{
	struct transfer t;
	io_begin(&t, attempt_write, d, fd, GEV_WRITABLE, GEV_NEVER, 0);
	/* Only a byte stream (one with a piece) goes on after a partial write: elsewhere a short count is the device's
	 * own answer. */
	t.enough = d->piece ? size : 0;
	t.size = size;
	t.vector = v;
	t.vectors = n;
	return transfer(&t);
}
