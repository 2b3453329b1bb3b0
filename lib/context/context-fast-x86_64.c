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

void gev__context_start_x86_64(void);
void gev__context_begin_x86_64(struct gev__context *left, struct gev__context *self, struct start *start)
	__attribute__((noreturn, used));

/* The first instructions of every context. %rbp holds the address of a struct start; %rdi and %rsi still hold what the jump had in them.
 * The return address is undefined for the unwinder: here a backtrace ends. */
__asm__(".text\n"
	".hidden gev__context_start_x86_64\n"
	".globl gev__context_start_x86_64\n"
	".type gev__context_start_x86_64, @function\n"
	"gev__context_start_x86_64:\n"
	"	.cfi_startproc\n"
	"	.cfi_undefined rip\n"
	"	movq %rbp, %rdx\n"
	"	xorl %ebp, %ebp\n"
	"	call gev__context_begin_x86_64\n"
	"	hlt\n"
	"	.cfi_endproc\n"
	".size gev__context_start_x86_64, . - gev__context_start_x86_64\n");

void gev__context_begin_x86_64(struct gev__context *left, struct gev__context *self, struct start *start)
{
	keep_frame_pointer();
	gev__note_after(&self->note, &left->note);
	start->entry(start->arg);
	__builtin_unreachable();
}

/* The low six bits of MXCSR are sticky exception flags: status, which is caller-saved; only the rest is control. */
#define MXCSR_STATUS 0x3fU

/* Stored in the sizes in which they are read again: a wider read of two narrow stores stalls. */
static inline __attribute__((always_inline)) void store_fp_control(struct gev__context *c)
{
	__asm__ volatile("stmxcsr %0\n\tfnstcw %1" : "=m"(c->mxcsr), "=m"(c->x87));
}

static inline __attribute__((always_inline)) void load_fp_control(const struct gev__context *c)
{
	__asm__ volatile("ldmxcsr %0\n\tfldcw %1" ::"m"(c->mxcsr), "m"(c->x87));
}

void gev__context_adopt(struct gev__context *c)
{
	c->tp = gev__tp_get();
	gev__note_adopt(&c->note);
}

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
	struct start *start = (struct start *)((uintptr_t)hi & ~(uintptr_t)15) - 1;
	*start = (struct start){.entry = entry, .arg = arg};

	static size_t below; /* the same for everybody, whoever writes it first */
	size_t distance = __atomic_load_n(&below, __ATOMIC_RELAXED);
	if (unlikely(distance == 0)) {
		distance = ask_makecontext(lo, (char *)start);
		__atomic_store_n(&below, distance, __ATOMIC_RELAXED);
	}
	c->sp = (char *)start - distance;
	c->pc = (void *)gev__context_start_x86_64;
	c->fp = start;
	store_fp_control(c);
	c->tp = tp;
	gev__note_make(&c->note, lo, hi);
}

/* Whoever jumps has himself in %rdi and his goal in %rsi. So on arrival at label 1, which may be much later and from elsewhere,
 * `from` is who left for us and `to` is ourselves. */
static inline __attribute__((always_inline)) void jump(struct gev__context *from, struct gev__context *to, bool ends)
{
	gev__note_before(&from->note, &to->note, ends);
	store_fp_control(from);
	if (unlikely(((from->mxcsr ^ to->mxcsr) & ~MXCSR_STATUS) | (uint32_t)(from->x87 ^ to->x87)))
		load_fp_control(to);
	if (to->tp != from->tp)
		gev__tp_set(to->tp);
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

__attribute__((noinline)) void gev__context_switch(struct gev__context *from, struct gev__context *to)
{
	jump(from, to, false);
}

void gev__context_leave(struct gev__context *from, struct gev__context *to)
{
	jump(from, to, true);
	__builtin_unreachable();
}
