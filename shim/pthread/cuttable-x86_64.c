/* A system call that a signal cuts off exactly, on x86-64: see aside.h.
 *
 * Where the kernel would make the call again it steps back to the instruction (SA_RESTART: two bytes); where it has
 * answered it stands behind it. So what has not passed the instruction has not happened. */
#include "shim/pthread/aside.h"

extern const char patch_cuttable_begin[] __attribute__((visibility("hidden")));
extern const char patch_cuttable_done[] __attribute__((visibility("hidden")));
extern const char patch_cuttable_cut[] __attribute__((visibility("hidden")));

/* A line an instruction: */
/* clang-format off */
__asm__(".text\n"
	".hidden patch_cuttable_call, patch_cuttable_begin, patch_cuttable_done, patch_cuttable_cut\n"
	".globl patch_cuttable_call, patch_cuttable_begin, patch_cuttable_done, patch_cuttable_cut\n"
	".type patch_cuttable_call, @function\n"
	"patch_cuttable_call:\n"
	"	.cfi_startproc\n"
	"	movq %rdi, %rcx\n"
	"	movq %rsi, %rax\n"
	"	movq %rdx, %r11\n"
	"	movq (%r11), %rdi\n"
	"	movq 8(%r11), %rsi\n"
	"	movq 16(%r11), %rdx\n"
	"	movq 24(%r11), %r10\n"
	"	movq 32(%r11), %r8\n"
	"	movq 40(%r11), %r9\n"
	"patch_cuttable_begin:\n"
	"	cmpl $0, (%rcx)\n"
	"	jne patch_cuttable_cut\n"
	"	syscall\n"
	"patch_cuttable_done:\n"
	"	ret\n"
	"patch_cuttable_cut:\n"
	"	movq $-4, %rax\n" /* -EINTR */
	"	ret\n"
	"	.cfi_endproc\n"
	".size patch_cuttable_call, . - patch_cuttable_call\n");
/* clang-format on */

void patch_cuttable_leave(ucontext_t *context)
{
	greg_t *pc = &context->uc_mcontext.gregs[REG_RIP];
	if (*pc >= (greg_t)patch_cuttable_begin && *pc < (greg_t)patch_cuttable_done)
		*pc = (greg_t)patch_cuttable_cut;
}
