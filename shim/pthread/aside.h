/* aside.h: a blocking call of libc's, made by a real thread while the green one that wants it is parked.
 *
 * For objects that another process may release: only the kernel can tell, and only to who waits in it. */
#ifndef PATCH_PTHREAD_ASIDE_H
#define PATCH_PTHREAD_ASIDE_H

#include "shim/pthread/thread.h"

struct patch_aside {
	/* On the real thread, with all signals blocked. Cancelling it must leave nothing behind that `call` itself has
	 * done: it enables cancellation only around calls of libc's that keep that promise. */
	void (*call)(struct patch_aside *a);
	bool done; /* atomic */
	bool returned;
	pthread_t helper;
};

/* 0: `call` has returned. -ECANCELED, -EINTR (as the flags allow): it was cut off, and has not. -EAGAIN: no thread for it.
 * On a greenlet. */
int patch_aside(struct patch_aside *a, unsigned flags);

/* Around the blocking call inside `call`. */
void patch_aside_cancellable(bool yes);

/* A system call that waits, and of which nothing is left behind when it is cut off. On a greenlet. *result: what it gave, or
 * -errno, if the call was made at all: 0. Else as patch_aside. */
int patch_aside_syscall(long number, const long arguments[6], unsigned flags, long *result);

/* Waits in the kernel until somebody wakes the word with one of the bits, while it has that value, or for nothing; not
 * beyond the deadline. For words that another process shares. On a greenlet. 0, -ETIMEDOUT; -EINTR, -ECANCELED as the flags
 * allow; -EAGAIN: no thread for it. */
int patch_aside_futex(uint32_t *word, uint32_t expected, uint32_t bits, int64_t deadline, unsigned flags);

#endif
