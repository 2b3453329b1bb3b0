/* The jump between two contexts on aarch64; see context-fast-aarch64.c. */
#ifndef GEV_CONTEXT_JUMP_AARCH64_H
#define GEV_CONTEXT_JUMP_AARCH64_H

#include "lib/base/macros.h"
#include "lib/context/context.h"
#include "lib/context/thread-pointer.h"

static inline __attribute__((always_inline)) uint32_t gev__fp_control(void)
{
	uint64_t word;
	__asm__ volatile("mrs %0, fpcr" : "=r"(word));
	return (uint32_t)word;
}

static inline __attribute__((always_inline)) void gev__set_fp_control(uint32_t word)
{
	__asm__ volatile("msr fpcr, %0" ::"r"((uint64_t)word));
}

/* Whoever jumps has himself in x0 and his goal in x1. So on arrival at label 1, which may be much later and from elsewhere, `from` is who left for
 * us and `to` is ourselves. */
static inline __attribute__((always_inline)) void gev__context_jump_as(struct gev__context *leaves,
								       struct gev__context *goal, bool ends)
{
	gev__note_before(&leaves->note, &goal->note, ends);
	leaves->fpcr = gev__fp_control();
	if (unlikely(leaves->fpcr != goal->fpcr))
		gev__set_fp_control(goal->fpcr);
	if (goal->tp != leaves->tp)
		gev__tp_set(goal->tp);
	register struct gev__context *from __asm__("x0") = leaves;
	register struct gev__context *to __asm__("x1") = goal;
	__asm__ volatile("mov x9, sp\n\t"
			 "str x9, [%[from], %[sp]]\n\t"
			 "str x29, [%[from], %[fp]]\n\t"
			 "adr x9, 1f\n\t"
			 "str x9, [%[from], %[pc]]\n\t"
			 "ldr x9, [%[to], %[sp]]\n\t"
			 "mov sp, x9\n\t"
			 "ldr x29, [%[to], %[fp]]\n\t"
			 "ldr x9, [%[to], %[pc]]\n\t"
			 "br x9\n"
			 "1:\n\t"
			 "hint #36\n" /* bti j */
			 : [from] "+r"(from), [to] "+r"(to)
			 : [sp] "i"(offsetof(struct gev__context, sp)), [fp] "i"(offsetof(struct gev__context, fp)),
			   [pc] "i"(offsetof(struct gev__context, pc))
			 : "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15",
			   "x16", "x17", "x18", "x19", "x20", "x21", "x22", "x23", "x24", "x25", "x26", "x27", "x28",
			   "x30", "memory", "cc", "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10",
			   "v11", "v12", "v13", "v14", "v15", "v16", "v17", "v18", "v19", "v20", "v21", "v22", "v23",
			   "v24", "v25", "v26", "v27", "v28", "v29", "v30", "v31");
	gev__note_after(&to->note, &from->note);
}

static inline __attribute__((always_inline)) void gev__context_jump(struct gev__context *from, struct gev__context *to)
{
	gev__context_jump_as(from, to, false);
}

static inline __attribute__((always_inline, noreturn)) void gev__context_jump_off(struct gev__context *from,
										  struct gev__context *to)
{
	gev__context_jump_as(from, to, true);
	__builtin_unreachable();
}

#endif
