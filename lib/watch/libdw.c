/* Opening libdw.
 *
 * It is to have libc's own functions, whatever a preload or the program exports: RTLD_DEEPBIND. But where the program has a malloc of its own, what libc
 * itself allocates for libdw (getline, realpath) comes from that one, and libc's free would abort on it. So what libdw brings along gets
 * the program's malloc and free after all. */
#include "lib/watch/libdw.h"

#include <dlfcn.h>
#include <string.h>

#include "lib/base/imports.h"

struct gev__dw gev__dw;

static struct {
	const char *name;
	void *theirs;
} memory[] = {
	{"free", NULL},          {"malloc", NULL},       {"calloc", NULL},
	{"realloc", NULL},       {"reallocarray", NULL}, {"posix_memalign", NULL},
	{"aligned_alloc", NULL}, {"memalign", NULL},     {"malloc_usable_size", NULL},
};

enum { MEMORY = sizeof memory / sizeof *memory };

static void *choose(const char *name, const char *version, void *bound)
{
	for (size_t i = 0; i < MEMORY; i++)
		if (strcmp(name, memory[i].name) == 0)
			return memory[i].theirs;
	return NULL;
}

struct loaded {
	size_t n;    /* objects seen */
	size_t from; /* from which on they are new */
};

static int count(struct dl_phdr_info *info, size_t size, void *arg)
{
	struct loaded *l = arg;
	l->n++;
	return 0;
}

/* They are shown in the order in which they were loaded. */
static int give_malloc(struct dl_phdr_info *info, size_t size, void *arg)
{
	struct loaded *l = arg;
	struct gev__imports o;
	if (l->n++ < l->from)
		return 0;
	gev__imports_read(&o, info);
	gev__imports_bind(&o, choose);
	return 0;
}

void gev__libdw_open(void)
{
	static bool opened;
	static void *library; /* stays open */
	struct loaded l = {0};
	/* A sanitizer refuses RTLD_DEEPBIND. */
	if (opened || dlsym(RTLD_DEFAULT, "__asan_init") || dlsym(RTLD_DEFAULT, "__tsan_init"))
		return;
	opened = true;
	/* Not RTLD_DEFAULT, which for a library opened as ours is begins with libc. And not below: dl_iterate_phdr holds a lock that others take
	 * behind dlsym's. */
	void *program = dlopen(NULL, RTLD_NOW | RTLD_NOLOAD);
	for (size_t i = 0; program && i < MEMORY; i++)
		memory[i].theirs = dlsym(program, memory[i].name);
	dl_iterate_phdr(count, &l);
	library = dlopen("libdw.so.1", RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND);
	if (library == NULL)
		return;
	l = (struct loaded){.from = l.n};
	dl_iterate_phdr(give_malloc, &l);
	gev__dw.usable = true;
#define F(name) gev__dw.usable &= (gev__dw.name = (__typeof__(gev__dw.name))dlsym(library, #name)) != NULL;
	GEV__DW_FUNCTIONS(F)
#undef F
}

void gev__program_free(void *p)
{
	void (*theirs)(void *) = (void (*)(void *))memory[0].theirs;
	if (p && theirs)
		theirs(p);
}
