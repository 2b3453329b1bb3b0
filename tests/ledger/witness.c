/* Sees what a preloaded program's calls do: preloaded as well, behind libpatch.so, it counts for each row of symbols.def that has a fixture
 *
 *     called   how often the program called the function
 *     parked   in how many of these calls the calling green thread parked
 *     met      and in how many of those another green thread of the process made a call meanwhile: it made progress
 *     left     in how many calls it let another have its turn, and made a call itself only after that one
 *
 * into the file that LEDGER_WITNESS names, which all processes of one run share.
 *
 * The program's calls of these functions pass a few instructions on their way (shim/watch/passed-ARCH.c), which leave everything as it is. So nothing is
 * known of their return; but a thread whose count of parks has grown since its last such call has parked in that call, since what lies between
 * two calls is its own code, where it may be preempted and does not park. A call from which a thread never returns is therefore not seen to park. */
#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "gev/embed.h"
#include "lib/base/imports.h"
#include "shim/base/libc.h"
#include "shim/watch/passed-stub.h"

#define REAL(ret, name, params, args, version)
#define PASS(name, family, reason)
#define LATER(name, family, why)

#define GREEN(ret, name, params, args, family, version, fixture) ROW_##name,
#define FORMAT(ret, name, params, last, call, fixture) ROW_##name,
#define WITHIN(name, fixture) ROW_##name,
#define ALIAS(alias, name) ROW_##alias,
enum {
#include "shim/base/symbols.def"
	N
};
#undef GREEN
#undef FORMAT
#undef WITHIN
#undef ALIAS
_Static_assert((int)N <= (int)PATCH_STUBS, "a stub for each");

#define GREEN(ret, name, params, args, family, version, fixture) #name,
#define FORMAT(ret, name, params, last, call, fixture) #name,
#define WITHIN(name, fixture) #name,
#define ALIAS(alias, name) #alias,
static const char *const names[] = {
#include "shim/base/symbols.def"
};

struct count {
	uint32_t called, parked, met, left;
};

static void *originals[N];
static struct count *counts;
static const struct gev_embed *gev;
static uint64_t calls; /* of green threads */

/* Of each thread: its last call that was seen. */
static __thread struct {
	bool known;
	unsigned row;
	uint64_t switches, parks, calls;
} last;

int __cxa_thread_atexit_impl(void (*function)(void *), void *object, void *dso);
extern void *__dso_handle;

static void look_back(const struct gev_watch_self *self)
{
	bool others = __atomic_load_n(&calls, __ATOMIC_RELAXED) != last.calls;
	struct count *c = &counts[last.row];
	if (self->parks != last.parks)
		__atomic_fetch_add(&c->parked, 1, __ATOMIC_RELAXED);
	if (self->parks != last.parks && others)
		__atomic_fetch_add(&c->met, 1, __ATOMIC_RELAXED);
	if (self->switches != last.switches && others)
		__atomic_fetch_add(&c->left, 1, __ATOMIC_RELAXED);
}

/* A thread's end, and main's. */
static void look_back_at_last(void *unused)
{
	struct gev_watch_self self;
	(void)unused;
	if (last.known && gev->watch_self(&self))
		look_back(&self);
}

/* The one that libpatch has loaded for itself. */
static const struct gev_embed *find(void)
{
	void *library = dlopen(getenv("LEDGER_LIBGEV"), RTLD_NOW | RTLD_NOLOAD);
	const struct gev_embed *(*embed)(void) =
		library ? (const struct gev_embed *(*)(void))dlsym(library, "gev_embed_v1") : NULL;
	return embed ? embed() : NULL;
}

void *patch_passed_count(unsigned row)
{
	struct gev_watch_self self;
	__atomic_fetch_add(&counts[row].called, 1, __ATOMIC_RELAXED);
	if (gev == NULL)
		gev = find();
	if (gev == NULL || !gev->watch_self(&self))
		return originals[row];
	if (last.known)
		look_back(&self);
	else
		__cxa_thread_atexit_impl(look_back_at_last, NULL, &__dso_handle);
	last.known = true;
	last.row = row;
	last.switches = self.switches;
	last.parks = self.parks;
	last.calls = __atomic_add_fetch(&calls, 1, __ATOMIC_RELAXED);
	return originals[row];
}

static void *(*next_dlsym(void))(void *, const char *)
{
	static void *(*next)(void *, const char *);
	if (next == NULL)
		next = (void *(*)(void *, const char *))dlvsym(RTLD_NEXT, "dlsym", "GLIBC_2.34");
	return next;
}

static void *choose(const char *name, const char *version, void *bound)
{
	(void)version;
	for (unsigned i = 0; i < N; i++) {
		if (strcmp(names[i], name) != 0)
			continue;
		void *original = bound ? bound : next_dlsym()(RTLD_DEFAULT, name);
		/* Another version of the same name, or somebody else's function: only one of them can be counted. */
		if (original == NULL || original == patch_passed_stub(i) || (originals[i] && originals[i] != original))
			return NULL;
		originals[i] = original;
		return patch_passed_stub(i);
	}
	return NULL;
}

/* Some fixtures look for a name that the linker would warn of. */
__attribute__((visibility("default"))) void *dlsym(void *handle, const char *name)
{
	void *found = handle == RTLD_DEFAULT ? next_dlsym()(handle, name) : NULL;
	void *stub = found && counts ? choose(name, NULL, found) : NULL;
	return stub ? stub : found ? found : next_dlsym()(handle, name);
}

static int look_at(struct dl_phdr_info *info, size_t size, void *unused)
{
	static const char *const alone[] = {"/libc.so",  "/ld-linux", "/libpatch", "/libgev.",  "linux-vdso",
					    "/libev.so", "/libdw",    "/libelf",   "/libcares", "witness"};
	struct gev__imports o;
	(void)size;
	(void)unused;
	for (size_t i = 0; i < sizeof alone / sizeof *alone; i++)
		if (strstr(info->dlpi_name, alone[i]))
			return 0;
	gev__imports_read(&o, info);
	gev__imports_bind(&o, choose);
	return 0;
}

static __attribute__((constructor)) void begin(void)
{
	const char *file = getenv("LEDGER_WITNESS");
	int fd = file ? open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0600) : -1;
	if (fd < 0 || ftruncate(fd, sizeof *counts * N) < 0)
		return;
	void *shared = mmap(NULL, sizeof *counts * N, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (shared == MAP_FAILED)
		return;
	counts = shared;
	dl_iterate_phdr(look_at, NULL);
}

static __attribute__((destructor)) void finish(void)
{
	if (gev)
		look_back_at_last(NULL);
}
