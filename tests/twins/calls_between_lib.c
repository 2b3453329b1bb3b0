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
SEES(recv, (int fd, void *to, size_t n, int flags), (fd, to, n, flags))
SEES(send, (int fd, const void *from, size_t n, int flags), (fd, from, n, flags))
SEES(recvmsg, (int fd, struct msghdr *msg, int flags), (fd, msg, flags))
SEES(sendmsg, (int fd, const struct msghdr *msg, int flags), (fd, msg, flags))
