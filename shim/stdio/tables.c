/* The places where libc's streams reach the kernel, made ours.
 *
 * libc's fgets calls libc's own read, past every symbol. But it calls it through the table of functions that each FILE points to
 * (libioP.h, struct _IO_jump_t). Those tables are few, read-only after relocation, and FILEs may point to no others (vtables.c). So
 * in all of them the functions are replaced that read, write and close, wherever they stand: every stream, made by whomever, waits as read
 * and write do, with fileno, buffers, orientation and errors as they were (calls.c). They are found by their values: libc exports the functions.
 */
#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <sys/mman.h>
#include <unistd.h>

#include "shim/base/log.h"
#include "shim/stdio/calls.h"
#include "shim/stdio/stream.h"

bool streams_ours;

struct change {
	void *from, *to;
};

static void change_words(uintptr_t start, uintptr_t end, const struct change *changes, size_t n)
{
	for (void **word = (void **)start; (uintptr_t)(word + 1) <= end; word++)
		for (size_t i = 0; i < n; i++)
			if (*word == changes[i].from)
				__atomic_store_n(word, changes[i].to, __ATOMIC_RELEASE);
}

/* The part of libc's memory that is read-only after relocation. */
static bool find_tables(void *function, uintptr_t *start, uintptr_t *end)
{
	Dl_info about;
	const struct link_map *map = NULL;
	if (!dladdr1(function, &about, (void **)&map, RTLD_DL_LINKMAP) || map == NULL)
		return false;
	const ElfW(Ehdr) *header = about.dli_fbase;
	const ElfW(Phdr) *p = (const void *)((const char *)header + header->e_phoff);
	for (int i = 0; i < header->e_phnum; i++)
		if (p[i].p_type == PT_GNU_RELRO) {
			*start = map->l_addr + p[i].p_vaddr;
			*end = *start + p[i].p_memsz;
			return true;
		}
	return false;
}

static bool change_tables(void)
{
	const struct change changes[] = {
		{patch_original("_IO_file_read"), (void *)patch__IO_file_read},
		{patch_original("_IO_file_write"), (void *)patch__IO_file_write},
		{patch_original("_IO_file_close"), (void *)patch__IO_file_close},
		{patch_original("_IO_proc_close"), (void *)patch__IO_proc_close},
		{patch_original("_IO_file_overflow"), (void *)stream_overflow},
		{patch_original("_IO_wfile_overflow"), (void *)stream_wide_overflow},
	};
	enum { N = sizeof changes / sizeof *changes };
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), start, end;
	for (size_t i = 0; i < N; i++)
		if (changes[i].from == NULL)
			return false;
	if (!find_tables(changes[0].from, &start, &end))
		return false;
	/* The loader protects whole pages only, and not the last, broken one (elf/dl-reloc.c, _dl_protect_relro). */
	void *pages = (void *)(start & ~(page - 1));
	size_t size = (end & ~(page - 1)) - (start & ~(page - 1));
	if (mprotect(pages, size, PROT_READ | PROT_WRITE) < 0)
		return false;
	change_words(start, end, changes, N);
	mprotect(pages, size, PROT_READ);
	return true;
}

/* Whether libc's lock of a stream is what we take it for. */
static bool knows_lock(FILE *f)
{
	if (real.ftrylockfile(f) != 0)
		return false;
	const struct libc_lock *lock = stream_lock(f);
	bool locked = lock->word != 0 && lock->times > 0 && lock->owner == (void *)pthread_self();
	bool first = lock->times == 1;
	real.funlockfile(f);
	return locked && (!first || (lock->word == 0 && lock->owner == NULL));
}

/* Those that the program has locked before: from now on as by our flockfile. */
static void adopt_locks(void)
{
	_IO_list_lock();
	for (stream_iterator i = _IO_iter_begin(); i != _IO_iter_end(); i = _IO_iter_next(i)) {
		FILE *f = _IO_iter_file(i);
		unsigned times = 0;
		while (f->_lock && stream_lock(f)->owner == (void *)pthread_self()) {
			real.funlockfile(f);
			times++;
		}
		if (times)
			stream_held(f, times);
	}
	_IO_list_unlock();
}

void streams_begin(void)
{
	if (!knows_lock(stderr) || !change_tables()) {
		patch_say("this libc's streams cannot be led here: every thread waits while one waits in a stream");
		return;
	}
	adopt_locks();
	__atomic_store_n(&streams_ours, true, __ATOMIC_RELEASE);
}

/* Among the last that run at exit: what is left to be written is written while the others can still run. What
 * destructors print after this is written as natively, by libc, under locks of its own. */
__attribute__((destructor)) static void end(void)
{
	if (!streams_ours)
		return;
	streams_ending = true;
	streams_flush();
	streams_ours = false;
}
