/* rwlock_word.h: the state of a read-write lock: how it is taken, waited for and handed over. See rwlock_word.c. */
#ifndef PATCH_PTHREAD_RWLOCK_WORD_H
#define PATCH_PTHREAD_RWLOCK_WORD_H

#include <time.h>

#include "shim/pthread/thread.h"

/* 0, EBUSY, or EAGAIN: there are as many readers as there can be. */
int patch_rwlock_try(pthread_rwlock_t *l, bool write);

/* After patch_rwlock_try has said EBUSY. `until` NULL: no deadline. 0, EAGAIN, ETIMEDOUT. */
int patch_rwlock_wait(pthread_rwlock_t *l, bool write, clockid_t clock, const struct timespec *until);

/* Whether a writer has it. */
bool patch_rwlock_written(pthread_rwlock_t *l);

/* Nothing of *l may be touched afterwards: its next owner may free it. */
void patch_rwlock_release(pthread_rwlock_t *l, bool write);

#endif
