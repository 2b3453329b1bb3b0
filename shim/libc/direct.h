/* direct.h: transfers with a file that goes without the page cache. */
#ifndef PATCH_LIBC_DIRECT_H
#define PATCH_LIBC_DIRECT_H

#include <sys/uio.h>

#include "shim/libc/wait.h"

/* Whether fd is known to be such a file, and there is somebody who could run meanwhile. Includers define PATCH_FAMILY. */
#define direct_is(fd) (patch_green() && direct_known(fd))

static inline bool direct_known(int fd)
{
	const struct description *d = fds_peek(fd);
	return d && d->direct;
}

/* As the originals, errno included. */
ssize_t direct_readv(int fd, const struct iovec *v, int n);
ssize_t direct_writev(int fd, const struct iovec *v, int n);
ssize_t direct_preadv(int fd, const struct iovec *v, int n, off_t at);
ssize_t direct_pwritev(int fd, const struct iovec *v, int n, off_t at);

#endif
