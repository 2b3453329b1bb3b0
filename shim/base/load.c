/* Finding and starting the runtime.
 *
 * Thin until needed: libpatch.so needs libc alone. At the first need libgev.so is loaded from beside libpatch.so (or from ../lib, as in the
 * build tree) with RTLD_LOCAL | RTLD_DEEPBIND: it and libev then see libc's own functions, whatever the program or this shim exports, and the program
 * never sees theirs. If the program itself linked libgev, that copy is used: one process, one hub. It calls through its table
 * of originals. AddressSanitizer refuses RTLD_DEEPBIND; then libgev is loaded without it, and the table serves there too. */
#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "shim/base/between.h"
#include "shim/base/loader-error.h"
#include "shim/base/log.h"
#include "shim/base/next.h"
#include "shim/base/patch.h"
#include "shim/pthread/thread.h"
#include "shim/stdio/stream.h"
#include "shim/watch/passed.h"
#include "shim/watch/trace.h"

const struct gev_embed *patch_gev;
bool patch_started;

typedef const struct gev_embed *(*embed_function)(void);

static void *open_beside(const char *relative)
{
	Dl_info info;
	if (!dladdr((void *)open_beside, &info) || info.dli_fname == NULL)
		return NULL;
	const char *slash = strrchr(info.dli_fname, '/');
	int directory = slash ? (int)(slash - info.dli_fname + 1) : 0;
	char path[PATH_MAX];
	if (snprintf(path, sizeof path, "%.*s%s", directory, info.dli_fname, relative) >= (int)sizeof path)
		return NULL;
	bool sanitized = dlsym(RTLD_DEFAULT, "__asan_init") != NULL;
	return dlopen(path, RTLD_NOW | RTLD_LOCAL | (sanitized ? 0 : RTLD_DEEPBIND));
}

static embed_function find(void)
{
	embed_function f = (embed_function)dlsym(RTLD_DEFAULT, "gev_embed_v1");
	if (f)
		return f;
	static const char *const places[] = {"libgev.so", "libgev.so.0", "../lib/libgev.so"};
	for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
		void *library = open_beside(places[i]);
		if (library == NULL)
			continue;
		f = (embed_function)dlsym(library, "gev_embed_v1");
		if (f)
			return f;
		patch_say("%s is another version of libgev; threads stay native", places[i]);
		return NULL;
	}
	patch_say("cannot load libgev.so: %s; threads stay native", dlerror());
	return NULL;
}

int patch_load(void)
{
	static int failed;
	if (likely(__atomic_load_n(&patch_gev, __ATOMIC_ACQUIRE) != NULL))
		return 0;
	if (__atomic_load_n(&failed, __ATOMIC_ACQUIRE))
		return -ENOSYS;
	int saved = errno;
	void *error = patch_loader_error_take();
	embed_function f = find();
	patch_loader_error_put(error);
	errno = saved;
	const struct gev_embed *table = f ? f() : NULL;
	if (table && table->size < sizeof *table) {
		patch_say("libgev is older than libpatch; threads stay native");
		table = NULL;
	}
	if (table == NULL) {
		__atomic_store_n(&failed, 1, __ATOMIC_RELEASE);
		return -ENOSYS;
	}
	__atomic_store_n(&patch_gev, table, __ATOMIC_RELEASE);
	return 0;
}

static void *original(const char *name)
{
	if (strcmp(name, "pthread_create") == 0)
		return (void *)patch_create_real;
	return patch_next(name, NULL);
}

int patch_start(void)
{
	static int owned; /* by which OS thread the hub was asked for first; never given back */
	if (patch_started)
		return patch_gev->self() ? 0 : -EPERM;
	int r = patch_load();
	if (r < 0)
		return r;
	if (__atomic_exchange_n(&owned, 1, __ATOMIC_ACQ_REL))
		return -EPERM;
	int saved = errno;
	r = patch_gev->start(original);
	errno = saved;
	if (r < 0) {
		__atomic_store_n(&owned, 0, __ATOMIC_RELEASE);
		return r;
	}
	patch_families_start();
	patch_between_start();
	/* Libraries that were opened since main began. */
	patch_trace();
	patch_passed();
	patch_passed_begin();
	__atomic_store_n(&patch_started, true, __ATOMIC_RELEASE);
	streams_begin();
	return r;
}
