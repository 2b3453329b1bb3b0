/* The entries of dlsym and dlvsym on x86-64: see dlsym.c. */
#include "shim/libc/dlsym.h"

/* Three words are laid aside, so that the call is made from a stack aligned to 16. `caller`: the register of the last argument. */
/* clang-format off */
#define ENTRY(name, caller)                                                                                            \
	".globl " #name "\n\t"                                                                                         \
	".type " #name ", @function\n"                                                                                 \
	#name ":\n\t"                                                                                                  \
	".cfi_startproc\n\t"                                                                                           \
	"pushq %rdi\n\t"                                                                                               \
	"pushq %rsi\n\t"                                                                                               \
	"pushq %rdx\n\t"                                                                                               \
	".cfi_adjust_cfa_offset 24\n\t"                                                                                \
	"movq 24(%rsp), %" #caller "\n\t"                                                                              \
	"call " #name "_answer\n\t"                                                                                    \
	"popq %rdx\n\t"                                                                                                \
	"popq %rsi\n\t"                                                                                                \
	"popq %rdi\n\t"                                                                                                \
	".cfi_adjust_cfa_offset -24\n\t"                                                                               \
	"testq %rax, %rax\n\t"                                                                                         \
	"jne 1f\n\t"                                                                                                   \
	"jmp *" #name "_original(%rip)\n"                                                                              \
	"1:\tret\n\t"                                                                                                  \
	".cfi_endproc\n\t"                                                                                             \
	".size " #name ", .-" #name "\n"

__asm__(ENTRY(dlsym, rdx) ENTRY(dlvsym, rcx));
/* clang-format on */
