/* slow.h: reading and writing what is neither a socket nor a file. */
#ifndef SHIM_LIBC_SLOW_H
#define SHIM_LIBC_SLOW_H

#include "shim/libc/transfer.h"

/* A count or -errno; IO_NEVER_BLOCKS (now known of d): make the original call. `size` is the sum of the vector, not
 * 0. */
ssize_t slow_read(int fd, struct description *d, const struct iovec *v, int n);
ssize_t slow_write(int fd, struct description *d, const struct iovec *v, int n, size_t size);

#endif
