/* A system call that a signal cuts off exactly, on aarch64: see aside.h, and cuttable-x86_64.c. */
#include "shim/pthread/aside.h"

extern const char patch_cuttable_begin[] __attribute__((visibility("hidden")));
extern const char patch_cuttable_done[] __attribute__((visibility("hidden")));
extern const char patch_cuttable_cut[] __attribute__((visibility("hidden")));

/* A line an instruction: */
/* clang-format off */
__asm__(".text\n"
	".hidden patch_cuttable_call, patch_cuttable_begin, patch_cuttable_done, patch_cuttable_cut\n"
	".globl patch_cuttable_call, patch_cuttable_begin, patch_cuttable_done, patch_cuttable_cut\n"
	".type patch_cuttable_call, %function\n"
	"patch_cuttable_call:\n"
	"	.cfi_startproc\n"
	"	mov x9, x0\n"
	"	mov x8, x1\n"
	"	mov x10, x2\n"
	"	ldp x0, x1, [x10]\n"
	"	ldp x2, x3, [x10, 16]\n"
	"	ldp x4, x5, [x10, 32]\n"
	"patch_cuttable_begin:\n"
	"	ldr w9, [x9]\n"
	"	cbnz w9, patch_cuttable_cut\n"
	"	svc 0\n"
	"patch_cuttable_done:\n"
	"	ret\n"
	"patch_cuttable_cut:\n"
	"	mov x0, -4\n" /* -EINTR */
	"	ret\n"
	"	.cfi_endproc\n"
	".size patch_cuttable_call, . - patch_cuttable_call\n");
/* clang-format on */

void patch_cuttable_leave(ucontext_t *context)
{
	unsigned long long *pc = &context->uc_mcontext.pc;
	if (*pc >= (uintptr_t)patch_cuttable_begin && *pc < (uintptr_t)patch_cuttable_done)
		*pc = (uintptr_t)patch_cuttable_cut;
}
