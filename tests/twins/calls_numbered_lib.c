/* The library of calls_numbered: it stands between the program and libc, counts, and makes the bare system calls: by a jump,
 * because it has nothing left to do; one of them by way of somebody else. */
#include <poll.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "twin.h"

#define OURS __attribute__((visibility("default")))

OURS extern int numbered_seen;
OURS int numbered_seen;

#define SEES(ret, name, params, ...)                                                                                   \
	OURS ret name params;                                                                                          \
	ret name params                                                                                                \
	{                                                                                                              \
		numbered_seen++;                                                                                       \
		return (ret)syscall(__VA_ARGS__);                                                                      \
	}

SEES(ssize_t, read, (int fd, void *to, size_t n), SYS_read, fd, to, n)
SEES(ssize_t, write, (int fd, const void *from, size_t n), SYS_write, fd, from, n)
SEES(ssize_t, writev, (int fd, const struct iovec *v, int n), SYS_writev, fd, v, n)
SEES(ssize_t, recvmsg, (int fd, struct msghdr *msg, int flags), SYS_recvmsg, fd, msg, flags)
SEES(ssize_t, sendmsg, (int fd, const struct msghdr *msg, int flags), SYS_sendmsg, fd, msg, flags)
SEES(int, accept4, (int fd, struct sockaddr *from, socklen_t *size, int flags), SYS_accept4, fd, from, size, flags)
SEES(int, connect, (int fd, const struct sockaddr *to, socklen_t size), SYS_connect, fd, to, size)
SEES(int, close, (int fd), SYS_close, fd)
SEES(int, dup, (int fd), SYS_dup, fd)
SEES(int, socketpair, (int domain, int type, int protocol, int fd[2]), SYS_socketpair, domain, type, protocol, fd)
SEES(int, nanosleep, (const struct timespec *time, struct timespec *left), SYS_nanosleep, time, left)
SEES(pid_t, gettid, (void), SYS_gettid)

OURS extern long (*numbered_readv)(int fd, const struct iovec *v, int n);
OURS long (*numbered_readv)(int fd, const struct iovec *v, int n);

OURS ssize_t readv(int fd, const struct iovec *v, int n)
{
	numbered_seen++;
	return numbered_readv(fd, v, n);
}
