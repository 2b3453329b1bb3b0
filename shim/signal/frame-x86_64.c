/* Signal frames and jump buffers on x86-64.
 *
 * libc mangles the addresses in a jmp_buf: rotated left by 17 after an exclusive or with the pointer guard, which lies at 0x30 of the thread control
 * block (sysdeps/unix/sysv/linux/x86_64/pointer_guard.h); the stack pointer is the seventh word (sysdeps/x86_64/jmpbuf-offsets.h). */
#include "shim/signal/signals.h"

/* The bytes are those by which unwinders know a signal frame (libgcc, config/i386/linux-unwind.h): movq $SYS_rt_sigreturn, %rax; syscall. */
void patch_frame_restorer(void);
__asm__(".text\n"
	".hidden patch_frame_restorer\n"
	".globl patch_frame_restorer\n"
	".type patch_frame_restorer, @function\n"
	"	nop\n"
	"patch_frame_restorer:\n"
	"	.byte 0x48, 0xc7, 0xc0, 0x0f, 0x00, 0x00, 0x00, 0x0f, 0x05\n"
	".size patch_frame_restorer, . - patch_frame_restorer\n");

void patch_frame_return(unsigned long *flags, void (**restorer)(void))
{
	enum { RESTORER = 0x04000000 }; /* SA_RESTORER (asm/signal.h); the kernel demands it */
	*flags |= RESTORER;
	*restorer = patch_frame_restorer;
}

uintptr_t patch_frame_pc(const ucontext_t *context)
{
	return (uintptr_t)context->uc_mcontext.gregs[REG_RIP];
}

uintptr_t patch_frame_sp(const ucontext_t *context)
{
	return (uintptr_t)context->uc_mcontext.gregs[REG_RSP];
}

uintptr_t patch_jump_goal(const struct __jmp_buf_tag *env)
{
	enum { JB_RSP = 6, TURN = 17 };
	uintptr_t guard, mangled = (uintptr_t)env->__jmpbuf[JB_RSP];
	__asm__("movq %%fs:0x30, %0" : "=r"(guard));
	return (mangled >> TURN | mangled << (64 - TURN)) ^ guard;
}
