/* io.h: reading and writing on any descriptor, for the wrappers of read and write and for the streams. */
#ifndef SHIM_LIBC_IO_H
#define SHIM_LIBC_IO_H

#include <stdbool.h>
#include <sys/types.h>
#include <sys/uio.h>

/* Whether a read or write may have to wait: a green caller, and a descriptor that blocks. */
bool io_may_wait(int fd);

/* For a green caller: a count, -errno (-ECANCELED: cancelled, and not yet acted on), or IO_NEVER_BLOCKS: make the original call. v is not
 * empty. errno is not kept. */
ssize_t io_read(int fd, const struct iovec *v, int n);
ssize_t io_write(int fd, const struct iovec *v, int n);

#endif
