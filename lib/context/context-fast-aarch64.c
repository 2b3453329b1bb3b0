/* The fast switch for aarch64 (AAPCS64): stack pointer, frame pointer, where to go on; nothing else. As on x86-64 (see there) the other callee-saved
 * registers are named as clobbered, so the compiler saves those that are in use: x19-x28, and the low halves of v8-v15 with the whole of them.
 * It leaves by `br`, not by `ret`, because of the return predictor. FPCR is stored each time, and loaded only when it differs.
 *
 * The places that are jumped to begin with a landing pad for branch target identification (hints, no-operations where that is off). */
#include <stdint.h>

#include "lib/base/macros.h"
#include "lib/context/context.h"
#include "lib/context/thread-pointer.h"

const char *gev__context_backend(void)
{
	return "fast";
}

struct start {
	void (*entry)(void *);
	void *arg;
};

void gev__context_start_aarch64(void);
void gev__context_begin_aarch64(struct gev__context *left, struct gev__context *self, struct start *start)
	__attribute__((noreturn, used));

/* The first instructions of every context. x29 holds the address of a struct start; x0 and x1 still hold what the jump had in them. The return
 * address is undefined for the unwinder, and the chain of frame pointers begins with zero: here a backtrace ends. */
__asm__(".text\n"
	".hidden gev__context_start_aarch64\n"
	".globl gev__context_start_aarch64\n"
	".type gev__context_start_aarch64, %function\n"
	"gev__context_start_aarch64:\n"
	"	.cfi_startproc\n"
	"	.cfi_undefined x30\n"
	"	hint #36\n" /* bti j */
	"	mov x2, x29\n"
	"	mov x29, #0\n"
	"	mov x30, #0\n"
	"	bl gev__context_begin_aarch64\n"
	"	brk #1\n"
	"	.cfi_endproc\n"
	".size gev__context_start_aarch64, . - gev__context_start_aarch64\n");

void gev__context_begin_aarch64(struct gev__context *left, struct gev__context *self, struct start *start)
{
	keep_frame_pointer();
	gev__note_after(&self->note, &left->note);
	start->entry(start->arg);
	__builtin_unreachable();
}

static inline __attribute__((always_inline)) uint32_t fp_control(void)
{
	uint64_t word;
	__asm__ volatile("mrs %0, fpcr" : "=r"(word));
	return (uint32_t)word;
}

static inline __attribute__((always_inline)) void set_fp_control(uint32_t word)
{
	__asm__ volatile("msr fpcr, %0" ::"r"((uint64_t)word));
}

void gev__context_adopt(struct gev__context *c)
{
	c->tp = gev__tp_get();
	gev__note_adopt(&c->note);
}

void gev__context_make(struct gev__context *c, void *lo, void *hi, void (*entry)(void *), void *arg, void *tp)
{
	/* The top words hold what `start` needs; below them the stack begins, aligned to 16 as it must be at all times. */
	struct start *start = (struct start *)((uintptr_t)hi & ~(uintptr_t)15) - 1;
	*start = (struct start){.entry = entry, .arg = arg};
	c->sp = start;
	c->pc = (void *)gev__context_start_aarch64;
	c->fp = start;
	c->fpcr = fp_control();
	c->tp = tp;
	gev__note_make(&c->note, lo, hi);
}

/* Whoever jumps has himself in x0 and his goal in x1. So on arrival at label 1, which may be much later and from elsewhere, `from` is who left for
 * us and `to` is ourselves. */
static inline __attribute__((always_inline)) void jump(struct gev__context *leaves, struct gev__context *goal,
						       bool ends)
{
	gev__note_before(&leaves->note, &goal->note, ends);
	leaves->fpcr = fp_control();
	if (unlikely(leaves->fpcr != goal->fpcr))
		set_fp_control(goal->fpcr);
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

__attribute__((noinline)) void gev__context_switch(struct gev__context *from, struct gev__context *to)
{
	jump(from, to, false);
}

void gev__context_leave(struct gev__context *from, struct gev__context *to)
{
	jump(from, to, true);
	__builtin_unreachable();
}
