/* Changing imports.
 *
 * A call to another library goes through a slot of the calling object, which the dynamic linker fills: at once, or at the first call, until when it
 * points back into the object (System V ABI, "Global Offset Table"). Writing another function there is all it takes; and where nobody asks for it nothing is
 * there that could cost. A table that was made read-only (PT_GNU_RELRO) is opened for the moment. */
#include "shim/watch/relink.h"

#include <elf.h>
#include <link.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#if defined(__x86_64__)
enum { SLOT = R_X86_64_JUMP_SLOT, DATA = R_X86_64_GLOB_DAT };
#elif defined(__aarch64__)
enum { SLOT = R_AARCH64_JUMP_SLOT, DATA = R_AARCH64_GLOB_DAT };
#endif

struct object {
	uintptr_t base, lo, hi;
	const ElfW(Sym) *symbols;
	const char *names;
	const ElfW(Rela) *relocations[2];
	size_t sizes[2];
	void *(*choose)(const char *name, void *bound);
};

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

static void put(void **slot, void *value)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	void *start = (void *)((uintptr_t)slot & ~(page - 1));
	/* Which protection it had is written nowhere; a slot's page is data, so it becomes writable, and stays so. */
	if (mprotect(start, page, PROT_READ | PROT_WRITE) == 0)
		__atomic_store_n(slot, value, __ATOMIC_RELEASE);
}

static void relink(const struct object *o, const ElfW(Rela) *r)
{
	unsigned type = (unsigned)ELF64_R_TYPE(r->r_info);
	if (type != SLOT && type != DATA)
		return;
	const ElfW(Sym) *symbol = &o->symbols[ELF64_R_SYM(r->r_info)];
	void **slot = (void **)(o->base + r->r_offset);
	uintptr_t bound = (uintptr_t)*slot;
	bool open = bound == 0 || (bound >= o->lo && bound < o->hi);
	void *better = o->choose(o->names + symbol->st_name, open ? NULL : (void *)bound);
	if (better && better != (void *)bound)
		put(slot, better);
}

/* glibc has added the base to these pointers where it could write the section; the vDSO's and some others' it could not. */
static uintptr_t address(const struct object *o, ElfW(Addr) value)
{
	return value < o->base ? o->base + value : value;
}

static void read_dynamic(struct object *o, const ElfW(Dyn) *d)
{
	for (; d->d_tag != DT_NULL; d++) {
		switch (d->d_tag) {
		case DT_SYMTAB:
			o->symbols = (const ElfW(Sym) *)address(o, d->d_un.d_ptr);
			break;
		case DT_STRTAB:
			o->names = (const char *)address(o, d->d_un.d_ptr);
			break;
		case DT_JMPREL:
			o->relocations[0] = (const ElfW(Rela) *)address(o, d->d_un.d_ptr);
			break;
		case DT_PLTRELSZ:
			o->sizes[0] = d->d_un.d_val;
			break;
		case DT_RELA:
			o->relocations[1] = (const ElfW(Rela) *)address(o, d->d_un.d_ptr);
			break;
		case DT_RELASZ:
			o->sizes[1] = d->d_un.d_val;
			break;
		}
	}
}

static int look_at(struct dl_phdr_info *info, size_t size, void *arg)
{
	struct object o = {
		.base = info->dlpi_addr, .lo = UINTPTR_MAX, .choose = *(void *(**)(const char *, void *))arg};
	const ElfW(Dyn) *dynamic = NULL;
	if (left_alone(info->dlpi_name))
		return 0;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];
		uintptr_t start = o.base + p->p_vaddr;
		if (p->p_type == PT_DYNAMIC)
			dynamic = (const ElfW(Dyn) *)start;
		if (p->p_type != PT_LOAD)
			continue;
		o.lo = start < o.lo ? start : o.lo;
		o.hi = start + p->p_memsz > o.hi ? start + p->p_memsz : o.hi;
	}
	if (dynamic)
		read_dynamic(&o, dynamic);
	for (int t = 0; o.symbols && o.names && t < 2; t++)
		for (size_t i = 0; o.relocations[t] && i < o.sizes[t] / sizeof(ElfW(Rela)); i++)
			relink(&o, &o.relocations[t][i]);
	return 0;
}

void patch_relink(void *(*choose)(const char *name, void *bound))
{
	dl_iterate_phdr(look_at, &choose);
}
