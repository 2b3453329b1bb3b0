/* uncooked.h: reading a terminal whose program has set MIN or TIME. */
#ifndef SHIM_LIBC_UNCOOKED_H
#define SHIM_LIBC_UNCOOKED_H

#include <sys/uio.h>

#include "shim/libc/wait.h"

/* Whether fd, a terminal, is read without lines and otherwise than byte by byte. */
bool uncooked(int fd);
/* Such a read. A count or -errno. */
ssize_t uncooked_read(int fd, const struct iovec *v, int n, size_t size);

#endif
