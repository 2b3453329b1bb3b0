/* The entry of vfork on aarch64: see vfork.c. */
#include "shim/libc/vfork.h"

__asm__(".globl vfork, __vfork\n\t"
	".type vfork, %function\n\t"
	".type __vfork, %function\n"
	"vfork:\n"
	"__vfork:\n\t"
	"stp x29, x30, [sp, -16]!\n\t"
	"bl vfork_target\n\t"
	"ldp x29, x30, [sp], 16\n\t"
	"br x0\n\t"
	".size vfork, .-vfork\n\t"
	".size __vfork, .-__vfork");
