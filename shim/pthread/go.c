/* Go's mark in a program or a library: a note that its linker leaves (cmd/link, ELF_NOTE_GOBUILDID_TAG).
 *
 * Where C is linked in (cgo), Go's runtime makes its threads by pthread_create, and they wait by system calls of its own: a green one would stop all.
 * The program's headers are where the kernel says, those of a library where its mapping begins. */
#include "shim/pthread/go.h"

#include <link.h>
#include <stddef.h>
#include <string.h>
#include <sys/auxv.h>

#include "shim/signal/signals.h"

static bool has_mark(const char *at, size_t size, size_t align)
{
	enum { GO_BUILD_ID = 4 };
	while (size >= sizeof(ElfW(Nhdr)) + 4) {
		const ElfW(Nhdr) *note = (const ElfW(Nhdr) *)(const void *)at;
		size_t description = (sizeof *note + note->n_namesz + align - 1) & ~(align - 1);
		size_t length = (description + note->n_descsz + align - 1) & ~(align - 1);
		if (note->n_type == GO_BUILD_ID && note->n_namesz == 4 && memcmp(note + 1, "Go\0", 4) == 0)
			return true;
		if (length > size)
			return false;
		at += length;
		size -= length;
	}
	return false;
}

/* `header`: where the first byte of the file lies; NULL: PT_PHDR tells where the file lies. */
static bool is_marked(const ElfW(Phdr) *headers, size_t n, const char *header)
{
	uintptr_t base = (uintptr_t)header;
	for (size_t i = 0; i < n; i++) {
		if (headers[i].p_type == PT_PHDR)
			base = (uintptr_t)headers - headers[i].p_vaddr;
		else if (headers[i].p_type == PT_LOAD && headers[i].p_offset == 0 && header)
			base = (uintptr_t)header - headers[i].p_vaddr;
	}
	for (size_t i = 0; i < n; i++) {
		const ElfW(Phdr) *p = &headers[i];
		if (p->p_type == PT_NOTE &&
		    has_mark((const char *)(base + p->p_vaddr), p->p_memsz, p->p_align == 8 ? 8 : 4))
			return true;
	}
	return false;
}

static bool program_is(void)
{
	static int known; /* atomic; 1: it is not; 2: it is */
	int k = __atomic_load_n(&known, __ATOMIC_RELAXED);
	if (k == 0) {
		const ElfW(Phdr) *headers = (const ElfW(Phdr) *)getauxval(AT_PHDR);
		k = headers && is_marked(headers, getauxval(AT_PHNUM), NULL) ? 2 : 1;
		__atomic_store_n(&known, k, __ATOMIC_RELAXED);
	}
	return k == 2;
}

static bool library_is(const void *code)
{
	const char *start = patch_start_of(code);
	const ElfW(Ehdr) *e = (const ElfW(Ehdr) *)(const void *)start;
	if (start == NULL || memcmp(e->e_ident, ELFMAG, SELFMAG) != 0)
		return false;
	return is_marked((const ElfW(Phdr) *)(const void *)(start + e->e_phoff), e->e_phnum, start);
}

bool patch_is_go(const void *code)
{
	return program_is() || library_is(code);
}
