/* mutex.h: what condition variables need of a mutex, and how the two kinds of mutexes are told apart. */
#ifndef PATCH_PTHREAD_MUTEX_H
#define PATCH_PTHREAD_MUTEX_H

#include "shim/pthread/thread.h"

/* Bits of __kind that only say how libc may elide the lock on transactional memory (nptl/pthreadP.h): of no meaning
 * here. */
enum { PATCH_KIND_ELISION = 256 | 512 };

static inline unsigned patch_mutex_kind(const pthread_mutex_t *m)
{
	return (unsigned)m->__data.__kind & ~(unsigned)PATCH_KIND_ELISION;
}

/* Normal, recursive, error-checking, adaptive, of one process: the lock is ours. Robust, priority and process-shared
 * ones have further bits, a destroyed one has them all: there every operation is libc's (mutex_kinds.c). */
static inline bool patch_mutex_ours(const pthread_mutex_t *m)
{
	return patch_mutex_kind(m) <= PTHREAD_MUTEX_ADAPTIVE_NP;
}

/* For the kinds that know their owner. */
static inline bool patch_mutex_mine(const pthread_mutex_t *m)
{
	return __atomic_load_n(&m->__data.__owner, __ATOMIC_RELAXED) == patch_tid();
}

/* Lock and unlock around a wait on a condition: the waiter stays one of the mutex's users, as in libc, so that
 * pthread_mutex_destroy says EBUSY. An error number of pthread_mutex_unlock, found before anything was done. */
int patch_mutex_check(const pthread_mutex_t *m);
void patch_mutex_leave(pthread_mutex_t *m);
int patch_mutex_return(pthread_mutex_t *m);

/* mutex_kinds.c. `until` NULL: no deadline. Error numbers. */
int patch_mutex_lock_other(pthread_mutex_t *m, clockid_t clock, const struct timespec *until);
int patch_mutex_try_other(pthread_mutex_t *m);
int patch_mutex_unlock_other(pthread_mutex_t *m);
/* Shared between processes, and neither robust nor of a priority protocol. */
bool patch_mutex_plain_shared(const pthread_mutex_t *m);

#endif
