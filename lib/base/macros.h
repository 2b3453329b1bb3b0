/* macros.h: the few words every file uses. */
#ifndef GEV_BASE_MACROS_H
#define GEV_BASE_MACROS_H

#include <stddef.h>
#include <stdint.h>

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

/* clang-format takes a macro's argument in brackets, followed by a minus, for a cast. */
/* clang-format off */
#define container_of(pointer, type, member) ((type *)(void *)((char *)(pointer) - offsetof(type, member)))

#define round_up(n, to) (((n) + (to) - 1) / (to) * (to))
/* clang-format on */

#define CACHE_LINE 64

/* On the declaration of a variable that another file of the library defines: it is found without the global offset table. -fvisibility=hidden says
 * that of definitions only. */
#define not_exported __attribute__((visibility("hidden")))

/* The compiler does not know any more where this pointer leads. */
#define veiled(pointer)                                                                                                \
	({                                                                                                             \
		__typeof__(pointer) veiled_pointer = (pointer);                                                        \
		__asm__("" : "+r"(veiled_pointer));                                                                    \
		veiled_pointer;                                                                                        \
	})

/* Makes the function it stands in keep a frame pointer. So must the outermost frames of a stack: profilers that follow frame pointers
 * (perf record -g) leave the program's own frames through them, and would otherwise walk into whatever the register holds. All of the library
 * with frame pointers would take 3 to 5 % more instructions. */
#define keep_frame_pointer() __asm__ volatile("" : : "r"(__builtin_frame_address(0)))

#endif
