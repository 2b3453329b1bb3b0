/* uncooked.h: reading a terminal whose program has set MIN or TIME. */
#ifndef SHIM_LIBC_UNCOOKED_H
#define SHIM_LIBC_UNCOOKED_H

#include <sys/uio.h>

#include "shim/libc/wait.h"

/* MIN and TIME, as they are when the read begins: the kernel does not ask again in the midst of one either. */
struct uncooked {
	unsigned char least, time;
};

/* Whether fd, a terminal, is read without lines and otherwise than byte by byte; and how then. */
bool uncooked(int fd, struct uncooked *how);
/* Such a read. A count or -errno. */
ssize_t uncooked_read(int fd, const struct iovec *v, int n, size_t size, const struct uncooked *how);

#endif
