/* futex_pi.h: the priority-inheriting futexes of syscall(SYS_futex, ...), among the threads of this process. -errno results. */
#ifndef PATCH_PTHREAD_FUTEX_PI_H
#define PATCH_PTHREAD_FUTEX_PI_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "shim/pthread/thread.h"

/* FUTEX_LOCK_PI and FUTEX_LOCK_PI2: until the word is the caller's, or `until` on that clock (NULL: for ever). 0. */
int patch_pi_lock(uint32_t *word, bool private, clockid_t clock, const struct timespec *until);
/* FUTEX_TRYLOCK_PI. 0, or -EAGAIN: another has it. */
int patch_pi_try(uint32_t *word);
/* FUTEX_UNLOCK_PI. 0. */
int patch_pi_unlock(uint32_t *word, bool private);
/* FUTEX_WAIT_REQUEUE_PI: until the caller was moved to `lock` and has it. 0. */
int patch_pi_wait(uint32_t *word, uint32_t expected, bool private, uint32_t *lock, clockid_t clock,
		  const struct timespec *until);
/* FUTEX_CMP_REQUEUE_PI: the first gets the lock if it is free, and so many more wait for it. How many in all. */
int patch_pi_requeue(uint32_t *word, uint32_t expected, uint32_t *lock, uint32_t n_wake, uint32_t n_move);

/* A thread with that number has ended: what it held goes on to those who wait for it. */
void patch_pi_owner_ended(uint32_t tid);

/* In a forked child. */
void patch_pi_forked(void);

#endif
