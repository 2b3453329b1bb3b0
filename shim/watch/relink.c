/* Changing imports. Where nobody asks for it nothing is there that could cost. */
#include "shim/watch/relink.h"

#include <stdbool.h>
#include <string.h>

#include "lib/base/imports.h"

static bool starts(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

static bool left_alone(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	return starts(name, "libc.so") || starts(name, "ld-linux") || starts(name, "libpatch") ||
	       starts(name, "libgev.") || starts(name, "linux-vdso") || starts(name, "libev.so") ||
	       starts(name, "libdw") || starts(name, "libelf") || starts(name, "libcares");
}

static int look_at(struct dl_phdr_info *info, size_t size, void *arg)
{
	void *(**choose)(const char *, void *) = arg;
	struct gev__imports o;
	if (left_alone(info->dlpi_name))
		return 0;
	gev__imports_read(&o, info);
	gev__imports_bind(&o, *choose);
	return 0;
}

void patch_relink(void *(*choose)(const char *name, void *bound))
{
	dl_iterate_phdr(look_at, &choose);
}
