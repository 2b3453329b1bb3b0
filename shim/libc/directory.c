/* closedir: a closer that knows the number only inside libc. (Streams close theirs in shim/stdio/tables.c.) */
#include <dirent.h>

#include "shim/libc/close.h"

int patch_closedir(DIR *dir)
{
	int fd = patch_started && dir ? dirfd(dir) : -1;
	fd_goes(fd);
	int r = real.closedir(dir);
	fd_gone(fd);
	return r;
}
EXPORT(closedir);
