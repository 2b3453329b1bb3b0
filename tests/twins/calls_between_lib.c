/* The library of calls_between: counts, and calls libc's. */
#include <dlfcn.h>
#include <sys/uio.h>

#include "twin.h"

#define OURS __attribute__((visibility("default")))

OURS extern int calls_seen;
OURS int calls_seen;

#define SEES(name, params, args)                                                                                       \
	OURS ssize_t name params;                                                                                      \
	ssize_t name params                                                                                            \
	{                                                                                                              \
		static ssize_t(*next) params;                                                                          \
		if (next == NULL)                                                                                      \
			next = (ssize_t(*) params)dlsym(RTLD_NEXT, #name);                                             \
		calls_seen++;                                                                                          \
		return next args;                                                                                      \
	}

SEES(read, (int fd, void *to, size_t n), (fd, to, n))
SEES(readv, (int fd, const struct iovec *v, int n), (fd, v, n))
SEES(writev, (int fd, const struct iovec *v, int n), (fd, v, n))
SEES(recvfrom, (int fd, void *to, size_t n, int flags, struct sockaddr *from, socklen_t *size),
     (fd, to, n, flags, from, size))
SEES(sendto, (int fd, const void *from, size_t n, int flags, const struct sockaddr *to, socklen_t size),
     (fd, from, n, flags, to, size))
SEES(recv, (int fd, void *to, size_t n, int flags), (fd, to, n, flags))
SEES(send, (int fd, const void *from, size_t n, int flags), (fd, from, n, flags))
SEES(recvmsg, (int fd, struct msghdr *msg, int flags), (fd, msg, flags))
SEES(sendmsg, (int fd, const struct msghdr *msg, int flags), (fd, msg, flags))
