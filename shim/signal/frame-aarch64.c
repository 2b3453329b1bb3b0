/* Signal frames and jump buffers on aarch64: the kernel needs no way back, the vDSO has one.
 *
 * libc mangles the stack pointer in a jmp_buf by an exclusive or with a guard that is the same for the whole process and is not
 * exported (sysdeps/aarch64/jmpbuf-offsets.h, JB_SP 13): so it is found from a buffer made here. */
#include "shim/signal/signals.h"

void patch_frame_return(unsigned long *flags, void (**restorer)(void))
{
	*restorer = NULL;
}

uintptr_t patch_frame_pc(const ucontext_t *context)
{
	return (uintptr_t)context->uc_mcontext.pc;
}

uintptr_t patch_frame_sp(const ucontext_t *context)
{
	return (uintptr_t)context->uc_mcontext.sp;
}

uintptr_t patch_jump_goal(const struct __jmp_buf_tag *env)
{
	enum { JB_SP = 13 };
	jmp_buf here;
	uintptr_t sp;
	(void)_setjmp(here);
	__asm__("mov %0, sp" : "=r"(sp));
	return (uintptr_t)env->__jmpbuf[JB_SP] ^ (uintptr_t)here[0].__jmpbuf[JB_SP] ^ sp;
}

/* Handlers on the alternate stack stay where the kernel has put them. */
bool patch_frame_move(int sig, siginfo_t *info, ucontext_t *context, uintptr_t top, patch_handler *go)
{
	return false;
}

__asm__(".text\n"
	".hidden patch_frame_call\n"
	".globl patch_frame_call\n"
	".type patch_frame_call, %function\n"
	"patch_frame_call:\n"
	"	.cfi_startproc\n"
	"	stp x29, x30, [sp, -16]!\n"
	"	.cfi_def_cfa_offset 16\n"
	"	.cfi_offset x29, -16\n"
	"	.cfi_offset x30, -8\n"
	"	mov x29, sp\n"
	"	.cfi_def_cfa_register x29\n"
	"	and x0, x0, -16\n"
	"	mov sp, x0\n"
	"	mov x0, x2\n"
	"	blr x1\n"
	"	mov sp, x29\n"
	"	ldp x29, x30, [sp], 16\n"
	"	ret\n"
	"	.cfi_endproc\n"
	".size patch_frame_call, . - patch_frame_call\n");
