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

#endif
