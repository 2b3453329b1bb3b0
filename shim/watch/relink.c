/* Changing imports. Where nobody asks for it nothing is there that could cost. */
#include "shim/watch/relink.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <string.h>

#include "lib/base/imports.h"
#include "shim/base/loader-error.h"

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

static void *(*chooser)(const char *name, void *bound);

/* What is bound at its first call only is what that call would find, which need not be what the name alone says: another version of it, or the
 * program's own function. */
static void *choose(const char *name, const char *version, void *bound)
{
	if (bound == NULL)
		bound = version ? dlvsym(RTLD_DEFAULT, name, version) : dlsym(RTLD_DEFAULT, name);
	return bound ? chooser(name, bound) : NULL;
}

static int look_at(struct dl_phdr_info *info, size_t size, void *arg)
{
	struct gev__imports o;
	if (left_alone(info->dlpi_name))
		return 0;
	gev__imports_read(&o, info);
	gev__imports_bind(&o, choose);
	return 0;
}

void patch_relink(void *(*chooses)(const char *name, void *bound))
{
	void *taken = patch_loader_error_take();
	chooser = chooses;
	dl_iterate_phdr(look_at, NULL);
	patch_loader_error_put(taken);
}
