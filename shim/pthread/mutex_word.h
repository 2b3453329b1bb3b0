/* mutex_word.h: the lock word of an ordinary mutex: how it is taken, waited for and passed on. See mutex_word.c. */
#ifndef PATCH_PTHREAD_MUTEX_WORD_H
#define PATCH_PTHREAD_MUTEX_WORD_H

#include <sys/single_threaded.h>
#include <sys/syscall.h>

#include "shim/pthread/thread.h"

enum patch_word {
	PATCH_WORD_FREE,   /* nobody has it */
	PATCH_WORD_HELD,   /* held; nobody has queued */
	PATCH_WORD_WANTED, /* held; somebody has queued since it was taken */
	PATCH_WORD_QUEUED, /* held; nobody has queued since it was taken, but others may wait from before */
};

static inline bool patch_word_take(pthread_mutex_t *m)
{
	int *word = &m->__data.__lock;
	/* libc leaves the locked instruction out too while it knows of one thread only. */
	if (__libc_single_threaded) {
		if (*word != PATCH_WORD_FREE)
			return false;
		*word = PATCH_WORD_HELD;
		return true;
	}
	int seen = PATCH_WORD_FREE;
	return __atomic_compare_exchange_n(word, &seen, PATCH_WORD_HELD, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

/* After patch_word_take has failed. The runtime has started. 0: taken. -ETIMEDOUT. */
int patch_word_wait(pthread_mutex_t *m, int64_t deadline);

void patch_word_give_slow(pthread_mutex_t *m);

/* Nothing of *m may be touched afterwards: its next owner may free it. */
static inline void patch_word_give(pthread_mutex_t *m)
{
	int *word = &m->__data.__lock;
	int held = PATCH_WORD_HELD;
	if (__libc_single_threaded && *word == PATCH_WORD_HELD)
		*word = PATCH_WORD_FREE;
	else if (unlikely(!__atomic_compare_exchange_n(word, &held, PATCH_WORD_FREE, false, __ATOMIC_RELEASE,
						       __ATOMIC_RELAXED)))
		patch_word_give_slow(m);
}

/* How many OS threads are inside a blocking call of libc's on an object whose wake-ups are ours now. They got there
 * before the runtime started (helper threads of libc's); while there are any, wake-ups go to libc's own waiters too.
 * Atomic. */
extern int patch_native_waiters;

/* Wakes one of those whom the kernel keeps under that word. Not by way of our own syscall(): it would look in the lot
 * too. */
static inline void patch_wake_native(const void *word, int wake)
{
	real.syscall(SYS_futex, (long)word, wake, 1, 0, 0, 0);
}

#endif
