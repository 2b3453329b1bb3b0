/* Signal frames and jump buffers on x86-64.
 *
 * A frame, as the kernel lays it (arch/x86/include/asm/sigframe.h, struct rt_sigframe), from low to high:
 *
 *      return address (to the restorer)    where the handler's stack pointer is when it begins
 *      ucontext                            its mcontext points at the floating-point state
 *      siginfo
 *      floating-point state                aligned to 64 bytes; how long it is, it says itself (struct _fpx_sw_bytes at 464)
 *
 * libc mangles the addresses in a jmp_buf: rotated left by 17 after an exclusive or with the pointer guard, which lies at 0x30 of the thread control
 * block (sysdeps/unix/sysv/linux/x86_64/pointer_guard.h); the stack pointer is the seventh word (sysdeps/x86_64/jmpbuf-offsets.h). */
#include "shim/signal/signals.h"

#include <string.h>

/* Where the interrupted registers lie while %rsp points to the ucontext_t, which is how a handler's `ret` leaves it (asm/ucontext.h): as call frame
 * information, in DWARF's numbers of the registers. The offset as a signed LEB128 of two bytes; 0x77 is DW_OP_breg7. */
#define AT(offset) "0x77, (" #offset " & 0x7f) | 0x80, " #offset " >> 7"
#define SAVED(reg, offset) "	.cfi_escape 0x10, " #reg ", 3, " AT(offset) "\n" /* DW_CFA_expression */
/* The frame's address is the interrupted %rsp: DW_CFA_def_cfa_expression, and DW_OP_deref at its end. */
#define FRAME_AT(offset) "	.cfi_escape 0x0f, 4, " AT(offset) ", 0x06\n"

/* The bytes are those by which libgcc knows a signal frame (config/i386/linux-unwind.h): movq $SYS_rt_sigreturn, %rax; syscall. gdb knows them only
 * in a function without a name, and others not at all; they read the frame information. It begins with the nop, because an unwinder looks one byte
 * before an address to which something returns (glibc's __restore_rt does the same). */
void patch_frame_restorer(void);
/* A line an instruction: */
/* clang-format off */
__asm__(".text\n"
	".hidden patch_frame_restorer\n"
	".globl patch_frame_restorer\n"
	".type patch_frame_restorer, @function\n"
	"	.cfi_startproc simple\n"
	"	.cfi_signal_frame\n"
	FRAME_AT(160)
	SAVED(8, 40) SAVED(9, 48) SAVED(10, 56) SAVED(11, 64) SAVED(12, 72) SAVED(13, 80) SAVED(14, 88) SAVED(15, 96)
	SAVED(5, 104) SAVED(4, 112) SAVED(6, 120) SAVED(3, 128) SAVED(1, 136) SAVED(0, 144) SAVED(2, 152) SAVED(7, 160)
	SAVED(16, 168)
	"	nop\n"
	"patch_frame_restorer:\n"
	"	.byte 0x48, 0xc7, 0xc0, 0x0f, 0x00, 0x00, 0x00, 0x0f, 0x05\n"
	"	.cfi_endproc\n"
	".size patch_frame_restorer, . - patch_frame_restorer\n");
/* clang-format on */
#undef FRAME_AT
#undef SAVED
#undef AT

_Static_assert(offsetof(ucontext_t, uc_mcontext.gregs[REG_R8]) == 40 &&
		       offsetof(ucontext_t, uc_mcontext.gregs[REG_RIP]) == 168,
	       "the kernel's layout");

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

static char *end_of_state(char *state)
{
	enum { SOFTWARE = 464, MAGIC = 0x46505853, PLAIN = 512 }; /* asm/sigcontext.h, FP_XSTATE_MAGIC1 */
	uint32_t words[2];
	memcpy(words, state + SOFTWARE, sizeof words);
	return state + (words[0] == MAGIC ? words[1] : PLAIN);
}

bool patch_frame_move(int sig, siginfo_t *info, ucontext_t *context, uintptr_t top, patch_handler *go)
{
	enum { ALIGNED = 64 };
	char *frame = (char *)context - sizeof(void *), *end = (char *)(info + 1);
	char *state = (char *)context->uc_mcontext.fpregs;
	if (state && end_of_state(state) > end)
		end = end_of_state(state);
	/* By a multiple of 64, so that all in it stays aligned as it is. */
	uintptr_t to = top - (uintptr_t)(end - frame);
	to -= (to - (uintptr_t)frame) % ALIGNED;
	ptrdiff_t by = (ptrdiff_t)(to - (uintptr_t)frame);
	memcpy((char *)to, frame, (size_t)(end - frame));
	context = (ucontext_t *)(void *)((char *)context + by);
	info = (siginfo_t *)(void *)((char *)info + by);
	if (state)
		context->uc_mcontext.fpregs = (fpregset_t)(void *)(state + by);
	/* As the kernel enters a handler. */
	__asm__ volatile("movq %0, %%rsp\n\tjmp *%1"
			 :
			 : "r"(to), "r"(go), "D"((long)sig), "S"(info), "d"(context)
			 : "memory");
	__builtin_unreachable();
}

/* void patch_frame_call(uintptr_t top, void (*f)(void *), void *arg) */
__asm__(".text\n"
	".hidden patch_frame_call\n"
	".globl patch_frame_call\n"
	".type patch_frame_call, @function\n"
	"patch_frame_call:\n"
	"	.cfi_startproc\n"
	"	pushq %rbp\n"
	"	.cfi_def_cfa_offset 16\n"
	"	.cfi_offset rbp, -16\n"
	"	movq %rsp, %rbp\n"
	"	.cfi_def_cfa_register rbp\n"
	"	andq $-16, %rdi\n"
	"	movq %rdi, %rsp\n"
	"	movq %rdx, %rdi\n"
	"	call *%rsi\n"
	"	leave\n"
	"	.cfi_def_cfa rsp, 8\n"
	"	ret\n"
	"	.cfi_endproc\n"
	".size patch_frame_call, . - patch_frame_call\n");
