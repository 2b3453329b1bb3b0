/* between.h: libraries between us and libc that have functions of their own for what syscall(2) reaches by number. */
#ifndef PATCH_BETWEEN_H
#define PATCH_BETWEEN_H

#include <stdbool.h>

/* Once, before patch_started. */
void patch_between_start(void);

/* One of them has a read, a send or the like of its own, and wants to see every call. Set by patch_between_start. */
extern bool patch_above_another;

/* Whether there is any. Async-signal-safe. */
bool patch_between_any(void);

/* The same, before it has started. */
bool patch_between_will_be(void);

/* Whether the code at that address is such a library's, or ours where there is one. Async-signal-safe. */
bool patch_between(const void *code);

#endif
