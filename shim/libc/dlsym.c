/* dlsym and dlvsym, apart from their entries, which each architecture has in a file of its own.
 *
 * Whoever asks for a function of libc's by libc's own name and not by that of the program (a handle of dlopen("libc.so.6"), as interpreters do that
 * call C) would get past us: its waits would hold all threads up, and its locks would be of another implementation. So it is told ours.
 *
 * libc's own answers by the address of its caller (RTLD_NEXT, RTLD_DEFAULT). So the entry asks here first, and jumps there with the stack as
 * it found it where there is nothing to say; a handle's answer does not depend on the caller, and is asked for here.
 *
 * Who asks for the next one, or exports the name itself, wants what lies behind it, and our own originals end in such a library: ours would be an
 * endless circle. But an allocator that looks after its memory in the background (jemalloc) makes its threads so: it gets patch_thread_create_below. */
#include "shim/libc/dlsym.h"

#include <dlfcn.h>
#include <link.h>
#include <string.h>

#include "shim/base/next.h"
#include "shim/pthread/thread.h"

void *dlsym_original, *dlvsym_original;

static void *original(void **known, const char *name)
{
	void *f = __atomic_load_n(known, __ATOMIC_RELAXED);
	if (unlikely(f == NULL)) {
		f = patch_next(name, NULL);
		if (f == NULL)
			f = patch_in_libc(name); /* libpatch was opened by dlopen */
		__atomic_store_n(known, f, __ATOMIC_RELAXED);
	}
	return f;
}

/* As the loader's own look-up of its caller does; NULL: the code belongs to no object. */
static struct link_map *object_of(const void *code)
{
	struct link_map *map = NULL;
	Dl_info info;
	return dladdr1(code, &info, (void **)&map, RTLD_DL_LINKMAP) ? map : NULL;
}

/* The program itself may have linked libgev, whose threads are real. */
static bool is_runtime(const struct link_map *map)
{
	return patch_is_ours(map) || patch_exports(map, "gev_embed_v1");
}

static void *next_to(const struct link_map *map, const char *name)
{
	bool wants = strcmp(name, "pthread_create") == 0;
	return wants && patch_libc_is_next(map, name) ? (void *)patch_thread_create_below : NULL;
}

void *dlsym_answer(void *handle, const char *name, const void *caller)
{
	void *(*libcs)(void *, const char *) = (void *(*)(void *, const char *))original(&dlsym_original, "dlsym");
	void *ours = handle != RTLD_DEFAULT && name ? patch_exported(name) : NULL;
	if (likely(ours == NULL))
		return NULL;
	const struct link_map *map = object_of(caller);
	if (map == NULL || is_runtime(map))
		return NULL;
	if (handle == RTLD_NEXT)
		return next_to(map, name);
	if (patch_exports(map, name))
		return NULL;
	void *found = libcs(handle, name);
	return found && found == patch_in_libc(name) ? ours : NULL;
}

/* Ours is the default version. */
void *dlvsym_answer(void *handle, const char *name, const char *version, const void *caller)
{
	void *(*libcs)(void *, const char *, const char *) =
		(void *(*)(void *, const char *, const char *))original(&dlvsym_original, "dlvsym");
	void *ours = handle != RTLD_DEFAULT && handle != RTLD_NEXT && name && version ? patch_exported(name) : NULL;
	if (likely(ours == NULL))
		return NULL;
	const struct link_map *map = object_of(caller);
	if (map == NULL || patch_exports(map, name))
		return NULL;
	void *found = libcs(handle, name, version);
	return found && found == patch_in_libc(name) ? ours : NULL;
}
