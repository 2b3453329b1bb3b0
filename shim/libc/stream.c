/* fclose, pclose, closedir, freopen: closers that know the number only inside libc. Their own waiting (a last
 * flush, a child's end) is native. */
#include <dirent.h>
#include <stdio.h>

#include "shim/libc/close.h"

/* A stream without a descriptor (fmemopen) has none to lose. */
static int number_of(FILE *f)
{
	int saved = errno;
	int fd = f ? fileno(f) : -1;
	errno = saved;
	return fd;
}

int patch_fclose(FILE *f)
{
	int fd = patch_started ? number_of(f) : -1;
	fd_goes(fd);
	int r = real.fclose(f);
	fd_gone(fd);
	return r;
}
EXPORT(fclose);
EXPORT_AS(_IO_fclose, fclose);

int patch_pclose(FILE *f)
{
	int fd = patch_started ? number_of(f) : -1;
	fd_goes(fd);
	fd_gone(fd); /* long before the child ends the number may be another one's */
	return real.pclose(f);
}
EXPORT(pclose);

int patch_closedir(DIR *dir)
{
	int fd = patch_started && dir ? dirfd(dir) : -1;
	fd_goes(fd);
	int r = real.closedir(dir);
	fd_gone(fd);
	return r;
}
EXPORT(closedir);

/* The stream's number goes; it, or another, comes back by an open inside libc, of which nothing was known. */
FILE *patch_freopen(const char *path, const char *mode, FILE *f)
{
	int fd = patch_started ? number_of(f) : -1;
	fd_goes(fd);
	FILE *again = real.freopen(path, mode, f);
	fd_gone(fd);
	return again;
}
EXPORT(freopen);
EXPORT_AS(freopen64, freopen);
