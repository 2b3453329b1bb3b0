/* The jump between two contexts on x86-64; see context-fast-x86_64.c. */
#ifndef GEV_CONTEXT_JUMP_X86_64_H
#define GEV_CONTEXT_JUMP_X86_64_H

#include "lib/base/macros.h"
#include "lib/context/context.h"
#include "lib/context/thread-pointer.h"

/* Stored in the sizes in which they are read again: a wider read of two narrow stores stalls. */
static inline __attribute__((always_inline)) void gev__store_fp_control(struct gev__context *c)
{
	__asm__ volatile("stmxcsr %0\n\tfnstcw %1" : "=m"(c->mxcsr), "=m"(c->x87));
}

/* The words of `from` are those of the processor. MXCSR is loaded without a look at it: a read of what stmxcsr has just stored waits longer than
 * ldmxcsr takes (3.7 against 5.5 ns a switch on AMD's Zen). Its low six bits are flags, not control; they are a thread's own natively, too. */
static inline __attribute__((always_inline)) void gev__load_fp_control(const struct gev__context *from,
								       const struct gev__context *to)
{
	__asm__ volatile("ldmxcsr %0" ::"m"(to->mxcsr));
	if (unlikely(from->x87 != to->x87))
		__asm__ volatile("fldcw %0" ::"m"(to->x87));
}

/* What is not in the registers that the jump itself changes. */
static inline __attribute__((always_inline)) void gev__context_before(struct gev__context *from,
								      struct gev__context *to, bool ends)
{
	gev__note_before(&from->note, &to->note, ends);
	gev__store_fp_control(from);
	gev__load_fp_control(from, to);
	if (to->tp != from->tp)
		gev__tp_set(to->tp);
}

/* Whoever jumps has himself in %rdi and his goal in %rsi. So on arrival at label 1, which may be much later and from elsewhere,
 * `from` is who left for us and `to` is ourselves. */
static inline __attribute__((always_inline)) void gev__context_jump(struct gev__context *from, struct gev__context *to)
{
	gev__context_before(from, to, false);
	__asm__ volatile("movq %%rsp, %c[sp](%[from])\n\t"
			 "movq %%rbp, %c[fp](%[from])\n\t"
			 "leaq 1f(%%rip), %%rdx\n\t"
			 "movq %%rdx, %c[pc](%[from])\n\t"
			 "movq %c[sp](%[to]), %%rsp\n\t"
			 "movq %c[fp](%[to]), %%rbp\n\t"
			 "jmp *%c[pc](%[to])\n"
			 "1:\n"
			 : [from] "+D"(from), [to] "+S"(to)
			 : [sp] "i"(offsetof(struct gev__context, sp)), [fp] "i"(offsetof(struct gev__context, fp)),
			   [pc] "i"(offsetof(struct gev__context, pc))
			 : "rax", "rbx", "rcx", "rdx", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "memory",
			   "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9",
			   "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
	gev__note_after(&to->note, &from->note);
}

/* The last jump of a context: nothing is saved, and no register matters any more. */
static inline __attribute__((always_inline, noreturn)) void gev__context_jump_off(struct gev__context *from,
										  struct gev__context *to)
{
	gev__context_before(from, to, true);
	__asm__ volatile("movq %c[sp](%[to]), %%rsp\n\t"
			 "movq %c[fp](%[to]), %%rbp\n\t"
			 "jmp *%c[pc](%[to])"
			 :
			 : [from] "D"(from), [to] "S"(to), [sp] "i"(offsetof(struct gev__context, sp)),
			   [fp] "i"(offsetof(struct gev__context, fp)), [pc] "i"(offsetof(struct gev__context, pc))
			 : "memory");
	__builtin_unreachable();
}

#endif
