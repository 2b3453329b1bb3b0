/* The entries of dlsym and dlvsym on aarch64: see dlsym.c. */
#include "shim/libc/dlsym.h"

/* `caller`: the register of the last argument. */
/* clang-format off */
#define ENTRY(name, caller)                                                                                            \
	".globl " #name "\n\t"                                                                                         \
	".type " #name ", %function\n"                                                                                 \
	#name ":\n\t"                                                                                                  \
	".cfi_startproc\n\t"                                                                                           \
	"stp x29, x30, [sp, -48]!\n\t"                                                                                 \
	".cfi_def_cfa_offset 48\n\t"                                                                                   \
	".cfi_offset 29, -48\n\t"                                                                                      \
	".cfi_offset 30, -40\n\t"                                                                                      \
	"stp x0, x1, [sp, 16]\n\t"                                                                                     \
	"str x2, [sp, 32]\n\t"                                                                                         \
	"mov " #caller ", x30\n\t"                                                                                     \
	"bl " #name "_answer\n\t"                                                                                      \
	"mov x9, x0\n\t"                                                                                               \
	"ldp x0, x1, [sp, 16]\n\t"                                                                                     \
	"ldr x2, [sp, 32]\n\t"                                                                                         \
	"ldp x29, x30, [sp], 48\n\t"                                                                                   \
	".cfi_def_cfa_offset 0\n\t"                                                                                    \
	".cfi_restore 29\n\t"                                                                                          \
	".cfi_restore 30\n\t"                                                                                          \
	"cbnz x9, 1f\n\t"                                                                                              \
	"adrp x16, " #name "_original\n\t"                                                                             \
	"ldr x16, [x16, :lo12:" #name "_original]\n\t"                                                                 \
	"br x16\n"                                                                                                     \
	"1:\tmov x0, x9\n\t"                                                                                           \
	"ret\n\t"                                                                                                      \
	".cfi_endproc\n\t"                                                                                             \
	".size " #name ", .-" #name "\n"

__asm__(ENTRY(dlsym, x2) ENTRY(dlvsym, x3));
/* clang-format on */
