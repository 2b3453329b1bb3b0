/* Changing imports. Where nobody asks for it nothing is there that could cost. */
#include "shim/watch/relink.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <string.h>

#include "lib/base/imports.h"
#include "shim/base/loader-error.h"
#include "shim/base/next.h"

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
	       starts(name, "libdw") || starts(name, "libelf");
}

static void *(*chooser)(const char *name, void *bound);

/* Ours of an old version, for those who ask for that one; what we export without a version is not found by one (dlvsym(3)). */
static bool is_older(const char *name, const char *version)
{
	struct link_map *map = NULL;
	Dl_info info;
	void *f = version ? dlvsym(RTLD_DEFAULT, name, version) : NULL;
	return f && dladdr1(f, &info, (void **)&map, RTLD_DL_LINKMAP) && patch_is_ours(map);
}

/* What is bound at its first call only is what that call would find, which need not be what the name alone says: the program's own function, or
 * another version. */
static void *choose(const char *name, const char *version, void *bound)
{
	void *found = bound ? bound : dlsym(RTLD_DEFAULT, name);
	void *better = found ? chooser(name, found) : NULL;
	return better && bound == NULL && is_older(name, version) ? NULL : better;
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
