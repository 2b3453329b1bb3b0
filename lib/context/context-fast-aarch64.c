/* The fast switch for aarch64 (AAPCS64): stack pointer, frame pointer, where to go on; nothing else. As on x86-64 (see there) the other callee-saved
 * registers are named as clobbered, so the compiler saves those that are in use: x19-x28, and the low halves of v8-v15 with the whole of them.
 * It leaves by `br`, not by `ret`, because of the return predictor. FPCR is stored each time, and loaded only when it differs.
 *
 * The places that are jumped to begin with a landing pad for branch target identification (hints, no-operations where that is off). */
#include <stdint.h>

#include "lib/base/macros.h"
#include "lib/context/context-fast.h"

void gev__context_start_aarch64(void);

/* The first instructions of every context. x29 holds the address of a struct gev__start; x0 and x1 still hold what the jump had in them. The return
 * address is undefined for the unwinder, and the chain of frame pointers begins with zero: here a backtrace ends. Entered by a jump, as on x86-64. */
__asm__(".text\n"
	".hidden gev__context_start_aarch64\n"
	".globl gev__context_start_aarch64\n"
	".type gev__context_start_aarch64, %function\n"
	"gev__context_start_aarch64:\n"
	"	.cfi_startproc\n"
	"	.cfi_undefined x30\n"
	"	hint #36\n" /* bti j */
#if GEV__ANNOTATED
	"	mov x2, x29\n"
	"	mov x29, #0\n"
	"	mov x30, #0\n"
	"	bl gev__context_begin\n"
#else
	"	ldp x16, x0, [x29]\n" /* by x16 a function may be jumped to where landing pads for calls are wanted */
	"	mov x29, #0\n"
	"	adr x30, 1f\n"
	"	br x16\n"
	"1:\n"
#endif
	"	brk #1\n"
	"	.cfi_endproc\n"
	".size gev__context_start_aarch64, . - gev__context_start_aarch64\n");

void gev__context_make(struct gev__context *c, void *lo, void *hi, void (*entry)(void *), void *arg, void *tp)
{
	/* The top words hold what `start` needs; below them the stack begins, aligned to 16 as it must be at all times. */
	struct gev__start *start = (struct gev__start *)((uintptr_t)hi & ~(uintptr_t)15) - 1;
	*start = (struct gev__start){.entry = entry, .arg = arg};
	c->sp = start;
	c->pc = (void *)gev__context_start_aarch64;
	c->fp = start;
	c->fpcr = gev__fp_control();
	c->tp = tp;
	gev__note_make(&c->note, lo, hi);
}
