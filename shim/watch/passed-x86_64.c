/* The stubs for x86-64 (System V ABI).
 *
 * Each puts its number on the stack and goes to the common part, which keeps rdi, rsi, rdx, rcx, r8, r9 (arguments), rax (the number of vector registers
 * of a variadic call), r10 (static chain) and xmm0 to xmm7, asks where to go on, and jumps there with the stack as it was: what returns twice, or takes any
 * number of arguments, does not notice. */
#include "shim/watch/passed-stub.h"

#include <stddef.h>

extern const char patch_stubs_x86_64[];

__asm__(".text\n"
	".balign 16\n"
	".hidden patch_stubs_x86_64\n"
	".globl patch_stubs_x86_64\n"
	"patch_stubs_x86_64:\n"
	"	.set i, 0\n"
	"	.rept 1024\n"
	"	.balign 16\n"
	"	pushq $i\n"
	"	jmp 1f\n"
	"	.set i, i + 1\n"
	"	.endr\n"
	"	.balign 16\n"
	"1:	pushq %rax\n"
	"	pushq %rdi\n"
	"	pushq %rsi\n"
	"	pushq %rdx\n"
	"	pushq %rcx\n"
	"	pushq %r8\n"
	"	pushq %r9\n"
	"	pushq %r10\n"
	"	subq $128, %rsp\n"
	"	movups %xmm0, (%rsp)\n"
	"	movups %xmm1, 16(%rsp)\n"
	"	movups %xmm2, 32(%rsp)\n"
	"	movups %xmm3, 48(%rsp)\n"
	"	movups %xmm4, 64(%rsp)\n"
	"	movups %xmm5, 80(%rsp)\n"
	"	movups %xmm6, 96(%rsp)\n"
	"	movups %xmm7, 112(%rsp)\n"
	"	movl 192(%rsp), %edi\n"
	"	call patch_passed_count\n"
	"	movq %rax, %r11\n"
	"	movups (%rsp), %xmm0\n"
	"	movups 16(%rsp), %xmm1\n"
	"	movups 32(%rsp), %xmm2\n"
	"	movups 48(%rsp), %xmm3\n"
	"	movups 64(%rsp), %xmm4\n"
	"	movups 80(%rsp), %xmm5\n"
	"	movups 96(%rsp), %xmm6\n"
	"	movups 112(%rsp), %xmm7\n"
	"	addq $128, %rsp\n"
	"	popq %r10\n"
	"	popq %r9\n"
	"	popq %r8\n"
	"	popq %rcx\n"
	"	popq %rdx\n"
	"	popq %rsi\n"
	"	popq %rdi\n"
	"	popq %rax\n"
	"	addq $8, %rsp\n"
	"	jmp *%r11\n");

void *patch_passed_stub(unsigned i)
{
	return (void *)(patch_stubs_x86_64 + (size_t)i * 16);
}
