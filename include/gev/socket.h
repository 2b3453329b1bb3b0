/* gev/socket.h: descriptors and sockets in POSIX shapes.
 *
 * Each call is the POSIX call of its name, except that it blocks the greenlet and not the OS thread, and that `timeout` (seconds) covers the whole
 * operation. Sockets made here are non-blocking inside the kernel; sockets made elsewhere may be blocking, they are never
 * changed. Every call may be made from any greenlet, and many greenlets may wait on one descriptor, first come first served.
 *
 * errno of all: the POSIX call's own, except EAGAIN and EINPROGRESS, which they wait for; ETIMEDOUT when `timeout` passed first;
 * EBADF also when fd was closed meanwhile, by gev_close on whatever OS thread; ECANCELED when the greenlet was killed; EINVAL also for a timeout that is NaN; ENOMEM. EINTR never. */
#ifndef GEV_SOCKET_H
#define GEV_SOCKET_H

#include <sys/socket.h>
#include <sys/types.h>

#include <gev/base.h>

GEV_BEGIN

/* recv(2): some bytes, at least one; 0 at the end. */
GEV_API ssize_t gev_recv(int fd, void *buf, size_t n, int flags, double timeout);

/* All n bytes. Fewer only at the end of the stream. On an error after some bytes: their number; the next call reports the error. */
GEV_API ssize_t gev_recv_all(int fd, void *buf, size_t n, double timeout);

/* send(2), once: some bytes, at least one. SIGPIPE is never raised (MSG_NOSIGNAL is added): EPIPE. */
GEV_API ssize_t gev_send(int fd, const void *buf, size_t n, int flags, double timeout);

/* All n bytes. n; or -1, and then how many went out is not known. */
GEV_API ssize_t gev_send_all(int fd, const void *buf, size_t n, double timeout);

/* read(2) and write(2) for pipes and anything else that poll(2) knows; fd should be non-blocking (a blocking one is waited for first). */
GEV_API ssize_t gev_read(int fd, void *buf, size_t n, double timeout);
GEV_API ssize_t gev_write(int fd, const void *buf, size_t n, double timeout);

/* accept4(2) with SOCK_NONBLOCK | SOCK_CLOEXEC: the new descriptor is the caller's, to be given to gev_close. */
GEV_API int gev_accept(int fd, struct sockaddr *address, socklen_t *length, double timeout);

/* connect(2) on a non-blocking socket. */
GEV_API int gev_connect(int fd, const struct sockaddr *address, socklen_t length, double timeout);

/* A listening TCP socket at "host:port"; host is a numeric IPv4 address, or an IPv6 one in brackets; empty means any IPv4 address; port 0: any.
 * SO_REUSEADDR is set. EINVAL: cannot be read as such. The descriptor is the caller's. Does not block. */
GEV_API int gev_listen(const char *host_port, int backlog);

/* A connected TCP socket, same form of address, host not empty. */
GEV_API int gev_dial(const char *host_port, double timeout);

/* close(2); greenlets that wait on fd, on whatever hub, return with EBADF. Any thread, with a hub or without. Does not block. Not retried on EINTR: the number is free then too (close(2)). */
GEV_API int gev_close(int fd);

GEV_END

#endif
