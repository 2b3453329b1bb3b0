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
