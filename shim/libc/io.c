/* read, write, readv, writev: on a socket as recv and send; on pipes, terminals and the like by slow.c; on files the original. */
#include <limits.h>
#include <sys/eventfd.h>

#include "shim/libc/slow.h"
#include "shim/libc/socket.h"

/* fd's record if the call may have to wait; NULL: the original. */
static struct description *blocking(int fd)
{
	struct description *d = fds_get(fd);
	return d && d->kind != FD_PLAIN && !d->wish ? d : NULL;
}

static bool is_socket(const struct description *d)
{
	return d->kind == FD_STREAM || d->kind == FD_MESSAGE;
}

/* What we knew was about another file: somebody closed the number behind libc's back. True: ask anew, once. */
static bool stale(int fd, ssize_t r)
{
	if (r != -ENOTSOCK)
		return false;
	fds_forget(fd);
	return true;
}

ssize_t patch_read(int fd, void *buf, size_t n)
{
	/* read(2): no bytes, no wait; while recv of none waits for some to be there. */
	if (!patch_green() || n == 0)
		return real.read(fd, buf, n);
	io_cancellation_point();
	int saved = errno;
	struct description *d = blocking(fd);
	ssize_t r = d == NULL ? IO_NEVER_BLOCKS
		    : is_socket(d) ? socket_receive(fd, d, buf, n, 0, NULL, NULL)
				   : slow_read(fd, d, &(struct iovec){buf, n}, 1);
	if (unlikely(stale(fd, r)))
		return patch_read(fd, buf, n);
	if (r == IO_NEVER_BLOCKS) {
		errno = saved;
		return real.read(fd, buf, n);
	}
	return io_result(r, saved);
}
EXPORT(read);
EXPORT_AS(__read, read);

ssize_t patch___read_chk(int fd, void *buf, size_t n, size_t room)
{
	return n > room ? real.__read_chk(fd, buf, n, room) : patch_read(fd, buf, n);
}
EXPORT(__read_chk);

ssize_t patch_write(int fd, const void *buf, size_t n)
{
	if (!patch_green() || n == 0)
		return real.write(fd, buf, n);
	io_cancellation_point();
	int saved = errno;
	struct description *d = blocking(fd);
	ssize_t r = d == NULL ? IO_NEVER_BLOCKS
		    : is_socket(d) ? socket_send(fd, d, buf, n, 0, NULL, 0)
				   : slow_write(fd, d, &(struct iovec){(void *)buf, n}, 1, n);
	if (unlikely(stale(fd, r)))
		return patch_write(fd, buf, n);
	if (r == IO_NEVER_BLOCKS) {
		errno = saved;
		return real.write(fd, buf, n);
	}
	return io_result(r, saved);
}
EXPORT(write);
EXPORT_AS(__write, write);

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

/* The vectors that recvmsg would judge otherwise than readv, and those that move nothing: the original's own answer. */
static bool odd_vector(const struct iovec *v, int n)
{
	return n <= 0 || n > IOV_MAX || v == NULL || io_vector_size(v, n) <= 0;
}

ssize_t patch_readv(int fd, const struct iovec *v, int n)
{
	if (!patch_green() || odd_vector(v, n))
		return real.readv(fd, v, n);
	io_cancellation_point();
	int saved = errno;
	struct description *d = blocking(fd);
	struct msghdr msg = {.msg_iov = (struct iovec *)v, .msg_iovlen = (size_t)n};
	ssize_t r = d == NULL ? IO_NEVER_BLOCKS
		    : is_socket(d) ? socket_receive_message(fd, d, &msg, 0)
				   : slow_read(fd, d, v, n);
	if (unlikely(stale(fd, r)))
		return patch_readv(fd, v, n);
	if (r == IO_NEVER_BLOCKS) {
		errno = saved;
		return real.readv(fd, v, n);
	}
	return io_result(r, saved);
}
EXPORT(readv);

ssize_t patch_writev(int fd, const struct iovec *v, int n)
{
	if (!patch_green() || odd_vector(v, n))
		return real.writev(fd, v, n);
	io_cancellation_point();
	int saved = errno;
	struct description *d = blocking(fd);
	struct msghdr msg = {.msg_iov = (struct iovec *)v, .msg_iovlen = (size_t)n};
	ssize_t r = d == NULL ? IO_NEVER_BLOCKS
		    : is_socket(d) ? socket_send_message(fd, d, &msg, 0)
				   : slow_write(fd, d, v, n, (size_t)io_vector_size(v, n));
	if (unlikely(stale(fd, r)))
		return patch_writev(fd, v, n);
	if (r == IO_NEVER_BLOCKS) {
		errno = saved;
		return real.writev(fd, v, n);
	}
	return io_result(r, saved);
}
EXPORT(writev);
