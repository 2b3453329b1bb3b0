/* gev/io.h: reading, writing and waiting, for descriptors of every kind.
 *
 * Each call is the POSIX call of its name, except that it blocks the greenlet and not the OS thread, and that `timeout` (seconds) covers the whole
 * operation. Descriptors may be non-blocking or blocking; their O_NONBLOCK is never changed. A regular file never waits, but its disk may:
 * see gev/offload.h. Every call may be made from any greenlet, and many greenlets may wait for one descriptor, first come first served.
 *
 * errno of all: the POSIX call's own, except EAGAIN, for which they wait; ETIMEDOUT when `timeout` passed first (with zero or less: when it
 * would have had to wait); EBADF also when fd was closed meanwhile, by gev_close on whatever OS thread; ECANCELED when the greenlet was killed;
 * EINVAL also for a timeout that is NaN; ENOMEM, EMFILE when the hub cannot be made. EINTR never.
 *
 * The *all* forms return how many bytes went over. Fewer than asked for: errno says why, and is 0 at the end of the stream; -1: an error
 * before the first byte. */
#ifndef GEV_IO_H
#define GEV_IO_H

#include <poll.h>
#include <stddef.h>
#include <sys/types.h>
#include <sys/uio.h>

#include <gev/base.h>

GEV_BEGIN

/* read(2), readv(2): some bytes, at least one; 0 at the end. */
GEV_API ssize_t gev_read(int fd, void *buf, size_t n, double timeout);
GEV_API ssize_t gev_readv(int fd, const struct iovec *v, int n, double timeout);
GEV_API ssize_t gev_read_all(int fd, void *buf, size_t n, double timeout);
GEV_API ssize_t gev_readv_all(int fd, const struct iovec *v, int n, double timeout);

/* write(2), writev(2): some bytes, at least one. SIGPIPE is raised as natively. */
GEV_API ssize_t gev_write(int fd, const void *buf, size_t n, double timeout);
GEV_API ssize_t gev_writev(int fd, const struct iovec *v, int n, double timeout);
GEV_API ssize_t gev_write_all(int fd, const void *buf, size_t n, double timeout);
GEV_API ssize_t gev_writev_all(int fd, const struct iovec *v, int n, double timeout);

/* Waits until fd is ready in one of the ways in `events` (GEV_READABLE, GEV_WRITABLE or both). Returns which; a hint: another may be quicker.
 * -1 and EINVAL: `events` is none of these; EPERM: some descriptors that cannot be waited for (a regular file) say so, others are ready; ELOOP: an
 * epoll descriptor under which too many others are nested. */
GEV_API int gev_fd_wait(int fd, int events, double timeout);

/* poll(2): how many of fds have revents, 0 when `timeout` passed; -1 and ETIMEDOUT only when a gev_timeout around it has (gev/timeout.h). Every revents
 * is the kernel's own; that of a descriptor that was closed meanwhile is POLLNVAL. */
GEV_API int gev_poll(struct pollfd *fds, nfds_t n, double timeout);

/* close(2); greenlets that wait on fd, on whatever hub, return with EBADF. Any OS thread, with a hub or without. Does not block. Not retried on EINTR:
 * the number is free then too (close(2)). A close(2) of a descriptor that greenlets wait for, past this call, is an error of the program. */
GEV_API int gev_close(int fd);

GEV_END

#endif
