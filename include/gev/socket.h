/* gev/socket.h: sockets in POSIX shapes.
 *
 * As gev/io.h says of all descriptors: each call blocks the greenlet and not the OS thread, `timeout` (seconds) covers the whole operation, and
 * the errors are those named there, besides EINPROGRESS and EALREADY, for which they wait too. Sockets made here are non-blocking inside the
 * kernel and close on exec; sockets made elsewhere may be blocking. With MSG_DONTWAIT nothing is waited for, and EAGAIN is returned. */
#ifndef GEV_SOCKET_H
#define GEV_SOCKET_H

#include <sys/socket.h>
#include <sys/types.h>

#include <gev/base.h>
#include <gev/io.h>

GEV_BEGIN

/* recv(2), recvfrom(2), recvmsg(2): some bytes, at least one, or one datagram; 0 at the end. MSG_WAITALL: as gev_recv_all. */
GEV_API ssize_t gev_recv(int fd, void *buf, size_t n, int flags, double timeout);
GEV_API ssize_t gev_recvfrom(int fd, void *buf, size_t n, int flags, struct sockaddr *address, socklen_t *length,
			     double timeout);
GEV_API ssize_t gev_recvmsg(int fd, struct msghdr *message, int flags, double timeout);

/* All n bytes of a stream: see gev/io.h, the *all* forms. */
GEV_API ssize_t gev_recv_all(int fd, void *buf, size_t n, double timeout);

/* send(2), sendto(2), sendmsg(2), once: some bytes, at least one, or one datagram. SIGPIPE is never raised (MSG_NOSIGNAL is added): EPIPE. */
GEV_API ssize_t gev_send(int fd, const void *buf, size_t n, int flags, double timeout);
GEV_API ssize_t gev_sendto(int fd, const void *buf, size_t n, int flags, const struct sockaddr *address,
			   socklen_t length, double timeout);
GEV_API ssize_t gev_sendmsg(int fd, const struct msghdr *message, int flags, double timeout);

/* All n bytes of a stream: see gev/io.h, the *all* forms. */
GEV_API ssize_t gev_send_all(int fd, const void *buf, size_t n, double timeout);

/* accept4(2) with SOCK_NONBLOCK | SOCK_CLOEXEC, and with flags of the caller's: the new descriptor is the caller's, to be given to gev_close. A listener that
 * is blocking, and that other processes accept from too, may block the OS thread. */
GEV_API int gev_accept(int fd, struct sockaddr *address, socklen_t *length, double timeout);
GEV_API int gev_accept4(int fd, struct sockaddr *address, socklen_t *length, int flags, double timeout);

/* connect(2). A blocking socket is made non-blocking for the moments in which this asks the kernel. A Unix listener whose queue is full is tried again until
 * `timeout`. After a failure the socket's state is the kernel's. */
GEV_API int gev_connect(int fd, const struct sockaddr *address, socklen_t length, double timeout);

/* A listening stream socket at "host:port" or "unix:path". host is a name, a numeric IPv4 address, an IPv6 one in brackets, or empty: any IPv4
 * address; port a number (0: any) or a service's name. After "unix:" an "@" begins an abstract name; a path is not unlinked before, nor at the close.
 * SO_REUSEADDR is set. The descriptor is the caller's. Blocks the greenlet for a name only.
 * EINVAL: cannot be read as such; ENAMETOOLONG: a path that does not fit; ENOENT: no such name or service; EAGAIN: no name server answered. */
GEV_API int gev_listen(const char *host_port, int backlog);

/* A connected stream socket, same forms of address, host not empty. Where a name has several addresses they are tried in turn within the one
 * timeout; the error is the last one's. Names are asked in the offload (gev/offload.h). */
GEV_API int gev_dial(const char *host_port, double timeout);

GEV_END

#endif
