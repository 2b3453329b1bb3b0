/* read, write, readv, writev: on a socket as recv and send; on pipes, terminals and the like by slow.c; on files
 * the original. */
#define PATCH_FAMILY PATCH_FAMILY_IO

#include <limits.h>
#include <sys/eventfd.h>

#include "shim/libc/close.h"
#include "shim/libc/direct.h"
#include "shim/libc/io.h"
#include "shim/libc/kernel.h"
#include "shim/libc/slow.h"
#include "shim/libc/socket.h"

/* fd's record if the call may have to wait; NULL: the original. */
static struct description *blocking(int fd)
{
	struct description *d = fds_get(fd);
	return d && d->kind != FD_PLAIN && !d->wish ? d : NULL;
}

static ssize_t read_once(int fd, const struct iovec *v, int n)
{
	struct description *d = blocking(fd);
	if (d == NULL)
		return IO_NEVER_BLOCKS;
	if (d->kind == FD_SLOW)
		return slow_read(fd, d, v, n);
	if (n == 1)
		return socket_receive(fd, d, v->iov_base, v->iov_len, 0, NULL, NULL);
	struct msghdr msg = {.msg_iov = (struct iovec *)v, .msg_iovlen = (size_t)n};
	return socket_receive_message(fd, d, &msg, 0);
}

static ssize_t write_once(int fd, const struct iovec *v, int n)
{
	struct description *d = blocking(fd);
	if (d == NULL)
		return IO_NEVER_BLOCKS;
	if (d->kind == FD_SLOW)
		return slow_write(fd, d, v, n, (size_t)io_vector_size(v, n));
	if (n == 1)
		return socket_send(fd, d, v->iov_base, v->iov_len, 0, NULL, 0);
	struct msghdr msg = {.msg_iov = (struct iovec *)v, .msg_iovlen = (size_t)n};
	return socket_send_message(fd, d, &msg, 0);
}

/* ENOTSOCK: what we knew was about another file, closed behind libc's back. Forgotten, it is learnt anew. */
ssize_t io_read(int fd, const struct iovec *v, int n)
{
	ssize_t r = read_once(fd, v, n);
	if (likely(r != -ENOTSOCK))
		return r;
	fd_begins(fd);
	return read_once(fd, v, n);
}

ssize_t io_write(int fd, const struct iovec *v, int n)
{
	ssize_t r = write_once(fd, v, n);
	if (likely(r != -ENOTSOCK))
		return r;
	fd_begins(fd);
	return write_once(fd, v, n);
}

bool io_may_wait(int fd)
{
	return patch_green() && blocking(fd);
}

APART static ssize_t read_green(int fd, const struct iovec *v, int n, bool buffer)
{
	io_cancellation_point();
	int saved = errno;
	ssize_t r = io_read(fd, v, n);
	if (r != IO_NEVER_BLOCKS)
		return io_result(r, saved);
	errno = saved;
	if (unlikely(direct_is(fd)))
		return direct_readv(fd, v, n);
	return socket_note_empty(fd, buffer ? real.read(fd, v->iov_base, v->iov_len) : real.readv(fd, v, n), 0);
}

APART static ssize_t write_green(int fd, const struct iovec *v, int n, bool buffer)
{
	io_cancellation_point();
	int saved = errno;
	ssize_t r = io_write(fd, v, n);
	if (r != IO_NEVER_BLOCKS)
		return io_result(r, saved);
	errno = saved;
	if (unlikely(direct_is(fd)))
		return direct_writev(fd, v, n);
	return buffer ? real.write(fd, v->iov_base, v->iov_len) : real.writev(fd, v, n);
}

/* read(2): no bytes, no wait; while recv of none waits for some to be there. */
APART static ssize_t read_buffer_green(int fd, void *buf, size_t n)
{
	struct iovec v = {buf, n};
	if (likely(n > 0))
		return read_green(fd, &v, 1, true);
	io_cancellation_point();
	return real.read(fd, buf, n);
}

APART static ssize_t write_buffer_green(int fd, const void *buf, size_t n)
{
	struct iovec v = {(void *)buf, n};
	if (likely(n > 0))
		return write_green(fd, &v, 1, true);
	io_cancellation_point();
	return real.write(fd, buf, n);
}

APART static ssize_t read_at_once(int fd, void *buf, size_t n)
{
	io_cancellation_point();
	return socket_read_at_once(fd, kernel_read(fd, buf, n), 0);
}

APART static ssize_t write_at_once(int fd, const void *buf, size_t n)
{
	io_cancellation_point();
	return patch_result(kernel_write(fd, buf, n));
}

ssize_t patch_read(int fd, void *buf, size_t n)
{
	if (patch_enters[PATCH_FAMILY] && socket_at_once(fd))
		return read_at_once(fd, buf, n);
	if (!patch_green())
		return real.read(fd, buf, n);
	return read_buffer_green(fd, buf, n);
}
EXPORT(read);
EXPORT_AS(__read, read);

/* _FORTIFY_SOURCE: libc's own ends the program when the buffer is smaller than the request. */
ssize_t patch___read_chk(int fd, void *buf, size_t n, size_t room)
{
	return n > room ? real.__read_chk(fd, buf, n, room) : patch_read(fd, buf, n);
}
EXPORT(__read_chk);

ssize_t patch_write(int fd, const void *buf, size_t n)
{
	if (patch_enters[PATCH_FAMILY] && socket_at_once(fd))
		return write_at_once(fd, buf, n);
	if (!patch_green())
		return real.write(fd, buf, n);
	return write_buffer_green(fd, buf, n);
}
EXPORT(write);
EXPORT_AS(__write, write);

/* The vectors that recvmsg would judge otherwise than readv, and those that move nothing: the original's own answer. */
static bool odd_vector(const struct iovec *v, int n)
{
	return n <= 0 || n > IOV_MAX || v == NULL || io_vector_size(v, n) <= 0;
}

APART static ssize_t readv_green(int fd, const struct iovec *v, int n)
{
	io_cancellation_point();
	return odd_vector(v, n) ? real.readv(fd, v, n) : read_green(fd, v, n, false);
}

APART static ssize_t readv_at_once(int fd, const struct iovec *v, int n)
{
	io_cancellation_point();
	return socket_read_at_once(fd, kernel_readv(fd, v, n), 0);
}

APART static ssize_t writev_green(int fd, const struct iovec *v, int n)
{
	io_cancellation_point();
	return odd_vector(v, n) ? real.writev(fd, v, n) : write_green(fd, v, n, false);
}

APART static ssize_t writev_at_once(int fd, const struct iovec *v, int n)
{
	io_cancellation_point();
	return patch_result(kernel_writev(fd, v, n));
}

ssize_t patch_readv(int fd, const struct iovec *v, int n)
{
	if (patch_enters[PATCH_FAMILY] && socket_at_once(fd))
		return readv_at_once(fd, v, n);
	return patch_green() ? readv_green(fd, v, n) : real.readv(fd, v, n);
}
EXPORT(readv);

ssize_t patch_writev(int fd, const struct iovec *v, int n)
{
	if (patch_enters[PATCH_FAMILY] && socket_at_once(fd))
		return writev_at_once(fd, v, n);
	return patch_green() ? writev_green(fd, v, n) : real.writev(fd, v, n);
}
EXPORT(writev);

/* At offset -1 they are readv and writev, and may wait. What the other flags say is of files only. */
static bool as_stream(int fd, off_t at, int flags)
{
	return at == -1 && !(flags & ~(RWF_HIPRI | RWF_DSYNC | RWF_SYNC | RWF_APPEND)) && blocking(fd);
}

ssize_t patch_preadv2(int fd, const struct iovec *v, int n, off_t at, int flags)
{
	io_cancellation_point();
	if (!patch_green() || odd_vector(v, n) || !as_stream(fd, at, flags))
		return real.preadv2(fd, v, n, at, flags);
	return read_green(fd, v, n, false);
}
EXPORT(preadv2);
EXPORT_AS(preadv64v2, preadv2);

ssize_t patch_pwritev2(int fd, const struct iovec *v, int n, off_t at, int flags)
{
	io_cancellation_point();
	if (!patch_green() || odd_vector(v, n) || !as_stream(fd, at, flags))
		return real.pwritev2(fd, v, n, at, flags);
	return write_green(fd, v, n, false);
}
EXPORT(pwritev2);
EXPORT_AS(pwritev64v2, pwritev2);

/* libc's own reach the kernel without passing here. */
int patch_eventfd_read(int fd, eventfd_t *value)
{
	return patch_read(fd, value, sizeof *value) == sizeof *value ? 0 : -1;
}
EXPORT(eventfd_read);

int patch_eventfd_write(int fd, eventfd_t value)
{
	return patch_write(fd, &value, sizeof value) == sizeof value ? 0 : -1;
}
EXPORT(eventfd_write);
