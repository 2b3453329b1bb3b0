/* jump.h: gev__context_switch and gev__context_leave where they stand, for the places that are left and entered all the time: gev__context_jump and
 * gev__context_jump_off. A function that jumps keeps nothing in registers, and need not be entered twice.
 *
 * Trap: the compiler takes the thread pointer for a constant. A function that jumps to another identity must not name a thread-local variable. */
#ifndef GEV_CONTEXT_JUMP_H
#define GEV_CONTEXT_JUMP_H

#if defined(GEV_CONTEXT_UCONTEXT)
#include "lib/context/context.h"

static inline void gev__context_jump(struct gev__context *from, struct gev__context *to)
{
	gev__context_switch(from, to);
}

static inline __attribute__((noreturn)) void gev__context_jump_off(struct gev__context *from, struct gev__context *to)
{
	gev__context_leave(from, to);
}
#elif defined(__x86_64__)
#include "lib/context/jump-x86_64.h"
#else
#include "lib/context/jump-aarch64.h"
#endif

#endif
