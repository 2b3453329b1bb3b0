/* The entry of vfork on x86-64: see vfork.c. */
#include "shim/libc/vfork.h"

__asm__(".globl vfork, __vfork\n\t"
	".type vfork, @function\n\t"
	".type __vfork, @function\n"
	"vfork:\n"
	"__vfork:\n\t"
	"subq $8, %rsp\n\t" /* calls are made from a stack aligned to 16 */
	"call vfork_target\n\t"
	"addq $8, %rsp\n\t"
	"jmp *%rax\n\t"
	".size vfork, .-vfork\n\t"
	".size __vfork, .-__vfork");
