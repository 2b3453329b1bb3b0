/* Reading and writing at an offset, and what else is done with a file that has one. That is local storage, for which nobody parks, unless the file
 * goes without the page cache (direct.c). And these calls are cancellation points (pthreads(7)), while libc knows nothing of a green thread's
 * cancellation. */
#define PATCH_FAMILY PATCH_FAMILY_IO

#include <fcntl.h>

#include "shim/libc/direct.h"
#include "shim/libc/wait.h"

ssize_t patch_pread(int fd, void *buf, size_t n, off_t at)
{
	io_cancellation_point();
	if (unlikely(direct_is(fd)))
		return direct_preadv(fd, &(struct iovec){buf, n}, 1, at);
	return real.pread(fd, buf, n, at);
}
EXPORT(pread);
EXPORT_AS(pread64, pread);
EXPORT_AS(__pread64, pread);

ssize_t patch___pread_chk(int fd, void *buf, size_t n, off_t at, size_t room)
{
	return n > room ? real.__pread_chk(fd, buf, n, at, room) : patch_pread(fd, buf, n, at);
}
EXPORT(__pread_chk);
EXPORT_AS(__pread64_chk, __pread_chk);

ssize_t patch_pwrite(int fd, const void *buf, size_t n, off_t at)
{
	io_cancellation_point();
	if (unlikely(direct_is(fd)))
		return direct_pwritev(fd, &(struct iovec){(void *)buf, n}, 1, at);
	return real.pwrite(fd, buf, n, at);
}
EXPORT(pwrite);
EXPORT_AS(pwrite64, pwrite);
EXPORT_AS(__pwrite64, pwrite);

ssize_t patch_preadv(int fd, const struct iovec *v, int n, off_t at)
{
	io_cancellation_point();
	if (unlikely(direct_is(fd)))
		return direct_preadv(fd, v, n, at);
	return real.preadv(fd, v, n, at);
}
EXPORT(preadv);
EXPORT_AS(preadv64, preadv);

ssize_t patch_pwritev(int fd, const struct iovec *v, int n, off_t at)
{
	io_cancellation_point();
	if (unlikely(direct_is(fd)))
		return direct_pwritev(fd, v, n, at);
	return real.pwritev(fd, v, n, at);
}
EXPORT(pwritev);
EXPORT_AS(pwritev64, pwritev);

int patch_fallocate(int fd, int mode, off_t at, off_t size)
{
	io_cancellation_point();
	return real.fallocate(fd, mode, at, size);
}
EXPORT(fallocate);
EXPORT_AS(fallocate64, fallocate);

ssize_t patch_copy_file_range(int in, off_t *in_at, int out, off_t *out_at, size_t size, unsigned flags)
{
	io_cancellation_point();
	return real.copy_file_range(in, in_at, out, out_at, size, flags);
}
EXPORT(copy_file_range);
