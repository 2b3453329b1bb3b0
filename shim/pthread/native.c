/* Threads that stay real: those of a library that waits past libc, and those that GEV_NATIVE names, by the function that they
 * begin with or by the library that it lies in.
 *
 * Exported functions only are known; a program's own are that if it was linked with -rdynamic. A library is named as in
 * /proc/PID/maps, without its folder, as far as one likes: libfoo.so is libfoo.so.1.2 too. The program's own file is one. */
#include "shim/pthread/native.h"

#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <string.h>

#include "shim/base/log.h"
#include "shim/base/next.h"
#include "shim/base/options.h"
#include "shim/pthread/go.h"
#include "shim/pthread/thread.h"
#include "shim/signal/signals.h"

static bool names_library(const char *word, size_t length, const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	return strncmp(name, word, length) == 0 && (name[length] == '\0' || name[length] == '.');
}

static bool names_function(const char *word, size_t length, const struct link_map *map, void *(*entry)(void *))
{
	char name[256];
	if (length >= sizeof name)
		return false;
	memcpy(name, word, length);
	name[length] = '\0';
	return patch_in(map, name) == (void *)entry;
}

static bool is_listed(const char *list, const struct link_map *map, void *(*entry)(void *))
{
	const char *path = *map->l_name ? map->l_name : program_invocation_name;
	while (*list) {
		size_t n = strcspn(list, ",");
		if (n > 0 && (names_library(list, n, path) || names_function(list, n, map, entry)))
			return true;
		list += n + (list[n] == ',');
	}
	return false;
}

/* libgomp's threads wait by futex calls of its own, in line and not through libc's syscall(): a green one would stop all. */
static const char past_libc[] = "libgomp.so";

/* dladdr would take the loader's lock, for which pthread_create does not wait: a library's constructor may wait for whoever makes this thread. */
static struct link_map *object_of(void *(*entry)(void *))
{
	Dl_info about;
	struct link_map *map = patch_object_of((void *)entry);
	if (map == NULL)
		dladdr1((void *)entry, &about, (void **)&map, RTLD_DL_LINKMAP);
	return map;
}

static __attribute__((noinline)) bool find_out(void *(*entry)(void *))
{
	const struct link_map *map = object_of(entry);
	if (patch_is_go((const void *)entry)) {
		patch_say_once("Go's threads wait past libc; they are real ones");
		return true;
	}
	if (map == NULL)
		return false;
	if (is_listed(patch_options()->native, map, entry))
		return true;
	if (!is_listed(past_libc, map, entry))
		return false;
	patch_say_once("OpenMP's threads wait past libc; they are real ones");
	return true;
}

/* That costs more than making a thread does, and programs begin their threads in few functions: the answers are kept. Only
 * the hub's thread comes here. */
bool patch_native_chosen(void *(*entry)(void *))
{
	enum { KEPT = 16 };
	static struct {
		void *(*entry)(void *);
		bool native;
	} kept[KEPT];
	size_t at = ((uintptr_t)entry >> 4) % KEPT;
	if (unlikely(kept[at].entry != entry)) {
		kept[at].native = find_out(entry);
		kept[at].entry = entry;
	}
	return kept[at].native;
}
