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
	if (patch_started)
		fd_goes(number_of(f));
	return real.fclose(f);
}
EXPORT(fclose);
EXPORT_AS(_IO_fclose, fclose);

int patch_pclose(FILE *f)
{
	if (patch_started)
		fd_goes(number_of(f));
	return real.pclose(f);
}
EXPORT(pclose);

int patch_closedir(DIR *dir)
{
	if (patch_started && dir)
		fd_goes(dirfd(dir));
	return real.closedir(dir);
}
EXPORT(closedir);

/* The stream's number goes; it, or another, comes back by an open inside libc, of which nothing was known. */
FILE *patch_freopen(const char *path, const char *mode, FILE *f)
{
	if (patch_started)
		fd_goes(number_of(f));
	return real.freopen(path, mode, f);
}
EXPORT(freopen);
EXPORT_AS(freopen64, freopen);
