/* futex.h: syscall(SYS_futex, ...) and its kin, once the runtime has started: -1 and errno, as syscall() itself. */
#ifndef PATCH_PTHREAD_FUTEX_H
#define PATCH_PTHREAD_FUTEX_H

#include <stdint.h>

long patch_futex(uint32_t *word, int op, uint32_t value, long time, uint32_t *other, uint32_t extra);
long patch_futex_waitv(const long arguments[6]);

#endif
