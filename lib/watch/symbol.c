/* Stacks and names by libdw. */
#include "lib/watch/symbol.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/lock.h"
#include "lib/context/registers.h"
#include "lib/watch/libdw.h"
#include "lib/watch/outside.h"

static Dwfl *dwfl;
static bool attached;
static struct gev__lock lock; /* of all that is here */

/* The stack being unwound: copied in pieces, because libdw reads it word by word. */
static const struct gev__stand *standing;
static struct {
	uintptr_t at;
	size_t n;
	char bytes[16384];
} window;

void gev__symbols_forked(void)
{
	dwfl = NULL; /* the parent's thread may have been in the middle of it */
	attached = false;
	lock = (struct gev__lock){0};
}

/* ---- Memory and registers for libdw ---- */

static bool read_word(uintptr_t addr, uintptr_t *word)
{
	if (standing->copy && addr >= standing->sp && addr + sizeof *word <= standing->sp + standing->copied) {
		memcpy(word, standing->copy + (addr - standing->sp), sizeof *word);
		return true;
	}
	if (addr < window.at || addr + sizeof *word > window.at + window.n) {
		window.at = addr;
		window.n = gev__peek((const void *)addr, window.bytes, sizeof window.bytes);
		if (window.n < sizeof *word)
			return false;
	}
	memcpy(word, window.bytes + (addr - window.at), sizeof *word);
	return true;
}

static bool memory_read(Dwfl *d, Dwarf_Addr addr, Dwarf_Word *result, void *arg)
{
	uintptr_t word;
	if (!read_word((uintptr_t)addr, &word))
		return false;
	*result = word;
	return true;
}

static pid_t next_thread(Dwfl *d, void *arg, void **thread)
{
	return 0; /* nobody walks them: each is asked for by number */
}

static bool get_thread(Dwfl *d, pid_t tid, void *arg, void **thread)
{
	*thread = NULL;
	return true;
}

static bool set_registers(Dwfl_Thread *thread, void *arg)
{
	Dwarf_Word pc = standing->pc, fp = standing->fp, sp = standing->sp;
	if (GEV__DWARF_PC >= 0)
		gev__dw.dwfl_thread_state_registers(thread, GEV__DWARF_PC, 1, &pc);
	gev__dw.dwfl_thread_state_register_pc(thread, standing->pc);
	return gev__dw.dwfl_thread_state_registers(thread, GEV__DWARF_FP, 1, &fp) &&
	       gev__dw.dwfl_thread_state_registers(thread, GEV__DWARF_SP, 1, &sp);
}

static const Dwfl_Thread_Callbacks thread_callbacks = {
	.next_thread = next_thread,
	.get_thread = get_thread,
	.memory_read = memory_read,
	.set_initial_registers = set_registers,
};

/* One line of maps. libdw takes neighbouring lines of one file for one module. Its own copies of whole files, private and writable from their
 * beginning on, as nothing that the loader maps is, are not for it: the next one would stretch a module over all that lies between. */
static bool report_line(const char *line)
{
	unsigned long from, to, offset;
	char rights[5], name[32];
	if (sscanf(line, "%lx-%lx %4s %lx", &from, &to, rights, &offset) != 4)
		return false;
	if (strstr(line, "[vdso]")) {
		/* As dwfl_linux_proc_report calls it, and dwfl_linux_proc_find_elf finds it. */
		snprintf(name, sizeof name, "[vdso: %d]", getpid());
		gev__dw.dwfl_report_module(dwfl, name, from, to);
	}
	return strcmp(rights, "rw-p") != 0 || offset != 0;
}

/* Not by dwfl_linux_proc_report, which wants the auxiliary vector too: a process that has given its rights up may not read that any more (proc(5),
 * PR_SET_DUMPABLE). */
static void report_maps(void)
{
	size_t n, kept = 0;
	char *maps = gev__slurp_all("/proc/self/maps", &n);
	for (char *line = maps, *end; line && (end = memchr(line, '\n', n - (size_t)(line - maps))); line = end + 1) {
		*end = '\0';
		bool keep = report_line(line);
		*end = '\n';
		size_t length = (size_t)(end + 1 - line);
		if (keep)
			memmove(maps + kept, line, length);
		kept += keep ? length : 0;
	}
	FILE *f = kept ? fmemopen(maps, kept, "r") : NULL;
	if (f) {
		gev__dw.dwfl_linux_proc_maps_report(dwfl, f);
		fclose(f);
	}
	free(maps);
}

static void refresh(void)
{
	/* No debuginfod: it would ask the network. */
	static char *debuginfo_path;
	static Dwfl_Callbacks callbacks = {.debuginfo_path = &debuginfo_path};
	if (!gev__dw.usable)
		return;
	callbacks.find_elf = gev__dw.dwfl_linux_proc_find_elf;
	callbacks.find_debuginfo = gev__dw.dwfl_build_id_find_debuginfo;
	if (dwfl == NULL && (dwfl = gev__dw.dwfl_begin(&callbacks)) == NULL)
		return;
	gev__dw.dwfl_report_begin(dwfl);
	report_maps();
	gev__dw.dwfl_report_end(dwfl, NULL, NULL);
	if (!attached)
		attached = gev__dw.dwfl_attach_state(dwfl, NULL, getpid(), &thread_callbacks, NULL);
}

void gev__symbols_begin(void)
{
	gev__lock(&lock);
	refresh();
}

void gev__symbols_end(void)
{
	gev__unlock(&lock);
}

/* ---- Stacks ---- */

struct walk {
	uintptr_t *pcs;
	size_t n, max;
};

static int on_frame(Dwfl_Frame *frame, void *arg)
{
	struct walk *w = arg;
	Dwarf_Addr pc;
	bool exact;
	if (!gev__dw.dwfl_frame_pc(frame, &pc, &exact) || pc == 0)
		return DWARF_CB_ABORT;
	w->pcs[w->n++] = (uintptr_t)pc;
	return w->n == w->max ? DWARF_CB_ABORT : DWARF_CB_OK;
}

static size_t by_frame_pointers(const struct gev__stand *s, uintptr_t *pcs, size_t max)
{
	size_t n = 0;
	uintptr_t fp = s->fp, below = s->sp;
	pcs[n++] = s->pc;
	while (n < max && fp >= below && fp % sizeof fp == 0 && (s->hi == 0 || fp < s->hi)) {
		uintptr_t next, pc;
		if (!read_word(fp, &next) || !read_word(fp + sizeof fp, &pc) || pc == 0)
			break;
		pcs[n++] = pc;
		below = fp + 1;
		fp = next;
	}
	return n;
}

size_t gev__unwind(const struct gev__stand *stand, uintptr_t *pcs, size_t max)
{
	struct walk w = {.pcs = pcs, .max = max};
	window.n = 0;
	if (max == 0)
		return 0;
	standing = stand;
	if (attached) {
		gev__dw.dwfl_getthread_frames(dwfl, 1, on_frame, &w);
	}
	return w.n > 0 ? w.n : by_frame_pointers(stand, pcs, max);
}

/* ---- Names ---- */

static const char *base_name(const char *path)
{
	const char *slash = path ? strrchr(path, '/') : NULL;
	return slash ? slash + 1 : path;
}

struct name {
	const char *symbol;
	const char *module;
	uintptr_t offset;
	const char *file;
	int line;
};

static void look_up_by_linker(uintptr_t addr, struct name *n)
{
	Dl_info info;
	if (!dladdr((const void *)addr, &info))
		return;
	n->module = base_name(info.dli_fname);
	n->symbol = info.dli_sname;
	n->offset = info.dli_sname ? addr - (uintptr_t)info.dli_saddr : addr - (uintptr_t)info.dli_fbase;
}

/* libdw finds the unit of an address by .debug_aranges, which clang leaves out (elfutils, libdwfl/cu.c); then all units are asked. */
static void look_up_line(Dwfl_Module *module, Dwarf_Addr addr, struct name *n)
{
	Dwfl_Line *line = gev__dw.dwfl_module_getsrc(module, addr);
	if (line) {
		n->file = base_name(gev__dw.dwfl_lineinfo(line, NULL, &n->line, NULL, NULL, NULL));
		return;
	}
	Dwarf_Die *unit = NULL;
	Dwarf_Addr bias;
	while ((unit = gev__dw.dwfl_module_nextcu(module, unit, &bias)) != NULL) {
		if (gev__dw.dwarf_haspc(unit, addr - bias) <= 0)
			continue;
		Dwarf_Line *at = gev__dw.dwarf_getsrc_die(unit, addr - bias);
		if (at && gev__dw.dwarf_lineno(at, &n->line) == 0)
			n->file = base_name(gev__dw.dwarf_linesrc(at, NULL, NULL));
		return;
	}
}

static void look_up(uintptr_t addr, bool with_line, struct name *n)
{
	*n = (struct name){0};
	Dwarf_Addr start = 0, end = 0;
	Dwfl_Module *module = dwfl ? gev__dw.dwfl_addrmodule(dwfl, addr) : NULL;
	const char *path = module ? gev__dw.dwfl_module_info(module, NULL, &start, &end, NULL, NULL, NULL, NULL) : NULL;
	/* It also gives the module below, where there is none. */
	if (path == NULL || addr >= end) {
		look_up_by_linker(addr, n);
		return;
	}
	GElf_Off offset = 0;
	GElf_Sym symbol;
	n->symbol = gev__dw.dwfl_module_addrinfo(module, addr, &offset, &symbol, NULL, NULL, NULL);
	n->offset = (uintptr_t)offset;
	n->module = base_name(path);
	if (n->symbol == NULL)
		n->offset = addr - (uintptr_t)start;
	if (with_line)
		look_up_line(module, addr, n);
}

/* As C++ has it, for gev__program_free; NULL: it is no such name. A program in C++ has brought along what knows it. */
static char *demangled(const char *symbol)
{
	static char *(*demangle)(const char *, char *, size_t *, int *);
	int status;
	if (symbol == NULL || strncmp(symbol, "_Z", 2) != 0)
		return NULL;
	if (demangle == NULL)
		demangle = (char *(*)(const char *, char *, size_t *, int *))dlsym(RTLD_DEFAULT, "__cxa_demangle");
	return demangle ? demangle(symbol, NULL, NULL, &status) : NULL;
}

void gev__symbol_frame(struct gev__text *t, uintptr_t pc, bool call)
{
	struct name n;
	look_up(pc - call, true, &n);
	char *plain = demangled(n.symbol);
	if (n.symbol)
		gev__text_add(t, "%s+0x%zx", plain ? plain : n.symbol, (size_t)(n.offset + call));
	else
		gev__text_add(t, "0x%zx", (size_t)pc);
	if (n.file)
		gev__text_add(t, " %s:%d", n.file, n.line);
	if (n.module && n.symbol)
		gev__text_add(t, " (%s)", n.module);
	else if (n.module)
		gev__text_add(t, " (%s+0x%zx)", n.module, (size_t)(n.offset + call));
	gev__program_free(plain);
}

bool gev__symbol_name(uintptr_t addr, char *out, size_t room)
{
	struct name n;
	look_up(addr, false, &n);
	char *plain = demangled(n.symbol);
	const char *symbol = plain ? plain : n.symbol;
	if (symbol == NULL && n.module)
		snprintf(out, room, "%s+0x%zx", n.module, (size_t)n.offset);
	else if (symbol && n.offset)
		snprintf(out, room, "%s+%zu", symbol, (size_t)n.offset);
	else if (symbol)
		snprintf(out, room, "%s", symbol);
	gev__program_free(plain);
	return n.module != NULL;
}

static bool starts(const char *text, const char *with)
{
	return text && strncmp(text, with, strlen(with)) == 0;
}

static bool is_ours(const struct name *n)
{
	return starts(n->module, "libgev.so") || starts(n->module, "libpatch.so");
}

bool gev__symbol_is_ours(uintptr_t pc)
{
	struct name n;
	look_up(pc, false, &n);
	return is_ours(&n);
}

size_t gev__stack_end(const uintptr_t *pcs, size_t n, bool is_main)
{
	struct name name;
	for (size_t i = 0; is_main && i < n; i++) {
		look_up(pcs[i] - (i > 0), false, &name);
		if (name.symbol && strcmp(name.symbol, "main") == 0)
			return i + 1;
		if (starts(name.symbol, "__libc_start"))
			n = i;
	}
	for (; n > 1; n--) {
		look_up(pcs[n - 1] - 1, false, &name);
		if (!is_ours(&name) && !(is_main && starts(name.module, "libc.so")))
			break;
	}
	return n;
}
