/* symbol.h: stacks and names: who called whom, and what an address is called.
 *
 * By libdw of elfutils (libdw.h): it unwinds by the call frame information that every ordinary program carries, knows source lines where there is
 * debugging information, and reads memory through us. Without it a stack is followed by frame pointers as far as they lead, which is not far in what
 * was compiled without them, and an address has the name that the dynamic linker knows. */
#ifndef GEV_WATCH_SYMBOL_H
#define GEV_WATCH_SYMBOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/watch/text.h"

/* Where a flow stands, and the stack that it stands on; hi 0: its end is not known. */
struct gev__stand {
	uintptr_t pc, sp, fp;
	uintptr_t hi;
	const char *copy; /* of the memory from sp on, when it runs on meanwhile; NULL: none */
	size_t copied;
};

/* In a forked child. */
void gev__symbols_forked(void);
/* Learns which libraries there are now. Whatever follows below, up to the end, is one caller's at a time. Whoever
 * wants the hubs too locks those before. */
void gev__symbols_begin(void);
void gev__symbols_end(void);

/* The program counters from the innermost on; how many. */
size_t gev__unwind(const struct gev__stand *stand, uintptr_t *pcs, size_t max);

/* "name+0x1f file.c:12 (library.so)"; call: a return address, so what called stands just before it. */
void gev__symbol_frame(struct gev__text *t, uintptr_t pc, bool call);
/* The name of a function or an object, "lock_b" or "table+16"; without a symbol its place in its file, "program+0x4010"; false: it lies in none. */
bool gev__symbol_name(uintptr_t addr, char *out, size_t room);
/* Whether the code there is libgev's or libpatch's own. */
bool gev__symbol_is_ours(uintptr_t pc);
/* How many frames of a stack are the program's: what lies below main, or below where a greenlet began, is libc's or ours. */
size_t gev__stack_end(const uintptr_t *pcs, size_t n, bool is_main);

#endif
