/* futex_bits.h: green threads in FUTEX_WAIT_BITSET with bits of their own, whom only a wake of one of their bits may wake. */
#ifndef PATCH_PTHREAD_FUTEX_BITS_H
#define PATCH_PTHREAD_FUTEX_BITS_H

#include <stdbool.h>
#include <stdint.h>

/* 0: woken. -EAGAIN: the word had another value. -ETIMEDOUT, -EINTR. On a greenlet. */
int patch_bits_wait(const uint32_t *word, uint32_t expected, uint32_t bits, int64_t deadline, unsigned flags);

/* Wakes up to n who wait for one of the bits under the word; how many it woke. Any thread. */
int patch_bits_wake(const uint32_t *word, int n, uint32_t bits);

/* In a forked child. */
void patch_bits_forked(void);

#endif
