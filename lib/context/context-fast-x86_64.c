/* The fast switch for x86-64 (System V ABI): stack pointer, frame pointer, where to go on; nothing else.
 *
 * The other callee-saved registers are named as clobbered, so the compiler saves those that are in use, and only those. It leaves by
 * `jmp`, not by `ret`: the return predictor expects the address of the stack that was left, and would miss every time
 * (8.7 ns against 2.5 measured). The floating-point control words are callee-saved too: they are stored each time and loaded
 * only when they differ, because loading them is what costs.
 *
 *      gev__context            stack of a context that does not run
 *      sp  ------------------> frames of gev__context_switch and its callers
 *      fp   its %rbp
 *      pc   label 1 below, or `start` before the first run (then fp carries the argument)
 */
#include <ucontext.h>

#include "lib/base/macros.h"
#include "lib/context/context-fast.h"

void gev__context_start_x86_64(void);

/* The first instructions of every context. %rbp holds the address of a struct gev__start; %rdi and %rsi still hold what the jump had in them.
 * The return address is undefined for the unwinder: here a backtrace ends.
 * Entered by a jump, with a return address that no call has put there: a context that ends without having waited then leaves the processor's
 * prediction of returns as it found it, for whoever goes on. */
__asm__(".text\n"
	".hidden gev__context_start_x86_64\n"
	".globl gev__context_start_x86_64\n"
	".type gev__context_start_x86_64, @function\n"
	"gev__context_start_x86_64:\n"
	"	.cfi_startproc\n"
	"	.cfi_undefined rip\n"
#if GEV__ANNOTATED
	"	movq %rbp, %rdx\n"
	"	xorl %ebp, %ebp\n"
	"	call gev__context_begin\n"
#else
	"	movq (%rbp), %rax\n"
	"	movq 8(%rbp), %rdi\n"
	"	xorl %ebp, %ebp\n"
	"	leaq 1f(%rip), %rdx\n"
	"	pushq %rdx\n"
	"	jmp *%rax\n"
	"	nop\n" /* an unwinder looks for the instruction before the return address */
	"1:\n"
#endif
	"	hlt\n"
	"	.cfi_endproc\n"
	".size gev__context_start_x86_64, . - gev__context_start_x86_64\n");

/* How far below the top of a stack makecontext begins. It is asked once: the answer depends on alignment alone, and a stack's top is aligned. */
static size_t ask_makecontext(char *lo, char *hi)
{
	/* No getcontext before: makecontext reads only uc_stack and uc_link, and of what it writes only the stack pointer is used here (glibc
	 * sysdeps/unix/sysv/linux/x86_64/makecontext.c). getcontext would be a system call. */
	ucontext_t uc;
	uc.uc_link = NULL;
	uc.uc_stack.ss_sp = lo;
	uc.uc_stack.ss_size = (size_t)(hi - lo);
	makecontext(&uc, gev__context_start_x86_64, 0);
	/* At the first instruction of a function %rsp is 8 below a multiple of 16, as after a call; `start` calls on, so it wants a multiple. */
	return (size_t)((uintptr_t)hi - ((uintptr_t)uc.uc_mcontext.gregs[REG_RSP] & ~(uintptr_t)15));
}

void gev__context_make(struct gev__context *c, void *lo, void *hi, void (*entry)(void *), void *arg, void *tp)
{
	/* The top words hold what `start` needs. */
	struct gev__start *start = (struct gev__start *)((uintptr_t)hi & ~(uintptr_t)15) - 1;
	*start = (struct gev__start){.entry = entry, .arg = arg};

	static size_t below; /* the same for everybody, whoever writes it first */
	size_t distance = __atomic_load_n(&below, __ATOMIC_RELAXED);
	if (unlikely(distance == 0)) {
		distance = ask_makecontext(lo, (char *)start);
		__atomic_store_n(&below, distance, __ATOMIC_RELAXED);
	}
	c->sp = (char *)start - distance;
	c->pc = (void *)gev__context_start_x86_64;
	c->fp = start;
	gev__store_fp_control(c);
	c->tp = tp;
	gev__note_make(&c->note, lo, hi);
}
