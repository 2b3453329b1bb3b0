/* Threads that stay real: those of a library that waits past libc, and those that GEV_NATIVE names, by the function that they
 * begin with or by the library that it lies in.
 *
 * dladdr knows exported functions only; a program's own are that if it was linked with -rdynamic. A library is named as in
 * /proc/PID/maps, without its folder, as far as one likes: libfoo.so is libfoo.so.1.2 too. The program's own file is one. */
#include "shim/pthread/native.h"

#include <dlfcn.h>
#include <string.h>

#include "shim/base/log.h"
#include "shim/base/options.h"
#include "shim/pthread/thread.h"

static bool names_library(const char *word, size_t length, const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	return strncmp(name, word, length) == 0 && (name[length] == '\0' || name[length] == '.');
}

static bool names_function(const char *word, size_t length, const char *name)
{
	return strncmp(name, word, length) == 0 && name[length] == '\0';
}

static bool is_listed(const char *list, const Dl_info *about, void *(*entry)(void *))
{
	while (*list) {
		size_t n = strcspn(list, ",");
		if (n > 0 && about->dli_fname && names_library(list, n, about->dli_fname))
			return true;
		if (n > 0 && about->dli_sname && about->dli_saddr == (void *)entry &&
		    names_function(list, n, about->dli_sname))
			return true;
		list += n + (list[n] == ',');
	}
	return false;
}

/* libgomp's threads wait by futex calls of its own, in line and not through libc's syscall(): a green one would stop all. */
static const char past_libc[] = "libgomp.so";

static __attribute__((noinline)) bool find_out(void *(*entry)(void *))
{
	Dl_info about;
	if (!dladdr((void *)entry, &about))
		return false;
	if (is_listed(patch_options()->native, &about, entry))
		return true;
	if (!is_listed(past_libc, &about, entry))
		return false;
	patch_say_once("OpenMP's threads wait past libc; they are real ones");
	return true;
}

/* dladdr costs more than making a thread does, and programs begin their threads in few functions: the answers are kept. Only
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
