/* What has a signal handler interrupted?
 *
 * The instruction says it, with two questions to the runtime before: is it the hub's flow, or a stretch that must not be entered again? The loader
 * tells whose an address is, without a lock (_dl_find_object, glibc 2.35). Without that call, whatever lay in memory when the first thread
 * was made is looked up in a table of its own. Code that belongs to no library, made by a compiler at run time, is the program's. */
#include <dlfcn.h>
#include <link.h>
#include <string.h>

#include "shim/base/next.h"
#include "shim/libc/kernel.h"
#include "shim/signal/signals.h"

/* dlfcn.h declares it only where this libc has it. */
struct found_object {
	unsigned long long flags;
	void *start;
	void *end;
	struct link_map *map;
	void *eh_frame;
	unsigned long long reserved[8];
};
static int (*find_object)(void *pc, struct found_object *result);

struct range {
	uintptr_t start, end;
	enum patch_place place;
};
enum { RANGES = 32 };
static struct range ranges[RANGES];
static size_t n_ranges;

static const struct link_map *own, *library;

/* Libraries that are not the program's own code, by the start of their file name. libgcc_s walks the loader's lists while it unwinds; the modules
 * of NSS and of iconv run under locks of libc's; the resolver is a part of libc. */
static const struct {
	const char *prefix;
	enum patch_place place;
} not_the_program[] = {
	{"libc.so", PATCH_PLACE_LIBC},        {"libc-", PATCH_PLACE_LIBC},       {"ld-linux", PATCH_PLACE_LIBC},
	{"linux-vdso", PATCH_PLACE_LIBC},     {"libpthread", PATCH_PLACE_LIBC},  {"libdl", PATCH_PLACE_LIBC},
	{"librt", PATCH_PLACE_LIBC},          {"libresolv", PATCH_PLACE_LIBC},   {"libnss_", PATCH_PLACE_LIBC},
	{"libgcc_s", PATCH_PLACE_LIBC},       {"libanl", PATCH_PLACE_LIBC},      {"libgev.so", PATCH_PLACE_RUNTIME},
	{"libpatch.so", PATCH_PLACE_RUNTIME}, {"libev.so", PATCH_PLACE_RUNTIME},
};

static enum patch_place place_by_path(const char *path)
{
	if (path == NULL || *path == '\0')
		return PATCH_PLACE_PROGRAM;
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	for (size_t i = 0; i < sizeof not_the_program / sizeof *not_the_program; i++)
		if (strncmp(name, not_the_program[i].prefix, strlen(not_the_program[i].prefix)) == 0)
			return not_the_program[i].place;
	return strstr(path, "/gconv/") ? PATCH_PLACE_LIBC : PATCH_PLACE_PROGRAM;
}

struct link_map *patch_object_of(const void *code)
{
	struct found_object o;
	return find_object && find_object((void *)code, &o) == 0 ? o.map : NULL;
}

const void *patch_start_of(const void *code)
{
	struct found_object o;
	return find_object && find_object((void *)code, &o) == 0 ? o.start : NULL;
}

static enum patch_place place_of_code(uintptr_t pc)
{
	if (find_object) {
		struct found_object o;
		if (find_object((void *)pc, &o) < 0 || o.map == NULL)
			return PATCH_PLACE_PROGRAM;
		if (o.map == own || o.map == library)
			return PATCH_PLACE_RUNTIME;
		return place_by_path(o.map->l_name);
	}
	for (size_t i = 0; i < n_ranges; i++)
		if (pc >= ranges[i].start && pc < ranges[i].end)
			return ranges[i].place;
	return PATCH_PLACE_PROGRAM;
}

enum patch_place patch_place_of(const ucontext_t *context)
{
	/* The kernel is asked, not the thread pointer: between two threads that is neither one's nor the other's. */
	if ((int)kernel_call6(SYS_gettid, 0, 0, 0, 0, 0, 0) != patch_hub_tid())
		return PATCH_PLACE_FOREIGN;
	/* On the kernel's alternate stack only handlers of ours run, whatever they call. */
	if (patch_gev->busy() || patch_signals_touched || patch_stack_is_hubs((void *)patch_frame_sp(context)))
		return PATCH_PLACE_RUNTIME;
	enum patch_place place = place_of_code(patch_frame_pc(context));
	return place == PATCH_PLACE_LIBC && unlikely(patch_sig.lent) ? PATCH_PLACE_RUNTIME : place;
}

static int note_range(struct dl_phdr_info *info, size_t size, void *data)
{
	enum patch_place place = place_by_path(info->dlpi_name);
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];
		if (p->p_type != PT_LOAD || !(p->p_flags & PF_X) || place == PATCH_PLACE_PROGRAM || n_ranges == RANGES)
			continue;
		uintptr_t start = info->dlpi_addr + p->p_vaddr;
		ranges[n_ranges++] = (struct range){start, start + p->p_memsz, place};
	}
	return 0;
}

void patch_places_begin(void)
{
	find_object = (int (*)(void *, struct found_object *))patch_next("_dl_find_object", NULL);
	if (find_object == NULL)
		find_object = (int (*)(void *, struct found_object *))dlsym(RTLD_DEFAULT, "_dl_find_object");
	struct found_object o;
	if (find_object && find_object((void *)patch_places_begin, &o) == 0)
		own = o.map;
	else
		find_object = NULL;
	if (find_object && find_object((void *)patch_gev->start, &o) == 0)
		library = o.map;
	if (find_object == NULL)
		dl_iterate_phdr(note_range, NULL);
}
