/* imports.h: the slots through which a loaded object calls other libraries, and what they are bound to.
 *
 * A call to another library goes through a slot of the calling object, which the dynamic linker fills: at once, or at the first call, until when it
 * points back into the object (System V ABI, "Global Offset Table"). Writing another function there is all it takes to lead the call elsewhere.
 * Header only: both libraries have a use for it, and libpatch has nothing else of libgev's. */
#ifndef GEV_BASE_IMPORTS_H
#define GEV_BASE_IMPORTS_H

#include <elf.h>
#include <link.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

struct gev__imports {
	uintptr_t base, lo, hi;
	const ElfW(Sym) *symbols;
	const char *names;
	const ElfW(Rela) *relocations[2];
	size_t sizes[2];
	const ElfW(Versym) *versions; /* of each symbol; NULL: the object knows of none */
	const ElfW(Verneed) *needs;
};

/* glibc has added the base to these pointers where it could write the section; the vDSO's and some others' it could not. */
static inline uintptr_t gev__imports_address(const struct gev__imports *o, ElfW(Addr) value)
{
	return value < o->base ? o->base + value : value;
}

static inline void gev__imports_dynamic(struct gev__imports *o, const ElfW(Dyn) *d)
{
	for (; d->d_tag != DT_NULL; d++) {
		uintptr_t address = gev__imports_address(o, d->d_un.d_ptr);
		if (d->d_tag == DT_SYMTAB)
			o->symbols = (const ElfW(Sym) *)address;
		else if (d->d_tag == DT_STRTAB)
			o->names = (const char *)address;
		else if (d->d_tag == DT_JMPREL)
			o->relocations[0] = (const ElfW(Rela) *)address;
		else if (d->d_tag == DT_RELA)
			o->relocations[1] = (const ElfW(Rela) *)address;
		else if (d->d_tag == DT_PLTRELSZ)
			o->sizes[0] = d->d_un.d_val;
		else if (d->d_tag == DT_RELASZ)
			o->sizes[1] = d->d_un.d_val;
		else if (d->d_tag == DT_VERSYM)
			o->versions = (const ElfW(Versym) *)address;
		else if (d->d_tag == DT_VERNEED)
			o->needs = (const ElfW(Verneed) *)address;
	}
}

/* The version that the object asks for; NULL: any (System V gABI, "Symbol Versioning"). */
static inline const char *gev__import_version(const struct gev__imports *o, size_t symbol)
{
	const ElfW(Verneed) *need = o->versions ? o->needs : NULL;
	while (need) {
		const ElfW(Vernaux) *one = (const ElfW(Vernaux) *)((uintptr_t)need + need->vn_aux);
		for (unsigned i = 0; i < need->vn_cnt; i++) {
			if (one->vna_other == (o->versions[symbol] & 0x7fff))
				return o->names + one->vna_name;
			one = (const ElfW(Vernaux) *)((uintptr_t)one + one->vna_next);
		}
		need = need->vn_next ? (const ElfW(Verneed) *)((uintptr_t)need + need->vn_next) : NULL;
	}
	return NULL;
}

/* Of an object that dl_iterate_phdr shows. */
static inline void gev__imports_read(struct gev__imports *o, const struct dl_phdr_info *info)
{
	const ElfW(Dyn) *dynamic = NULL;
	*o = (struct gev__imports){.base = info->dlpi_addr, .lo = UINTPTR_MAX};
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];
		uintptr_t start = o->base + p->p_vaddr;
		if (p->p_type == PT_DYNAMIC)
			dynamic = (const ElfW(Dyn) *)start;
		if (p->p_type != PT_LOAD)
			continue;
		o->lo = start < o->lo ? start : o->lo;
		o->hi = start + p->p_memsz > o->hi ? start + p->p_memsz : o->hi;
	}
	if (dynamic)
		gev__imports_dynamic(o, dynamic);
}

static inline void gev__import_put(void **slot, void *value)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	void *start = (void *)((uintptr_t)slot & ~(page - 1));
	/* The table may have been made read-only (PT_GNU_RELRO). Which protection it had is written nowhere; a slot's page is data, so it becomes
	 * writable, and stays so. */
	if (mprotect(start, page, PROT_READ | PROT_WRITE) == 0)
		__atomic_store_n(slot, value, __ATOMIC_RELEASE);
}

/* For each import: `choose` gets its name and version (NULL: any) and what it is bound to (NULL: nothing yet), and says what it shall be bound to, or
 * NULL: as it is. */
static inline void gev__imports_bind(const struct gev__imports *o,
				     void *(*choose)(const char *name, const char *version, void *bound))
{
#if defined(__x86_64__)
	enum { SLOT = R_X86_64_JUMP_SLOT, DATA = R_X86_64_GLOB_DAT };
#elif defined(__aarch64__)
	enum { SLOT = R_AARCH64_JUMP_SLOT, DATA = R_AARCH64_GLOB_DAT };
#endif
	for (int t = 0; o->symbols && o->names && t < 2; t++) {
		for (size_t i = 0; o->relocations[t] && i < o->sizes[t] / sizeof(ElfW(Rela)); i++) {
			const ElfW(Rela) *r = &o->relocations[t][i];
			unsigned type = (unsigned)ELF64_R_TYPE(r->r_info);
			if (type != SLOT && type != DATA)
				continue;
			void **slot = (void **)(o->base + r->r_offset);
			uintptr_t bound = (uintptr_t)*slot;
			bool open = bound == 0 || (bound >= o->lo && bound < o->hi);
			size_t symbol = ELF64_R_SYM(r->r_info);
			void *better = choose(o->names + o->symbols[symbol].st_name, gev__import_version(o, symbol),
					      open ? NULL : (void *)bound);
			if (better && better != (void *)bound)
				gev__import_put(slot, better);
		}
	}
}

#endif
