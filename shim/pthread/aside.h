/* aside.h: a blocking call of libc's, made by a real thread while the green one that wants it is parked.
 *
 * For objects that another process may release: only the kernel can tell, and only to who waits in it. */
#ifndef PATCH_PTHREAD_ASIDE_H
#define PATCH_PTHREAD_ASIDE_H

#include <ucontext.h>

#include "shim/pthread/thread.h"

struct patch_aside {
	long number; /* first, for those who look on: with GEV_ON_CALL, the system call that is made */
	/* On the real thread, with all signals blocked. Cancelling it must leave nothing behind that `call` itself has
	 * done: it enables cancellation only around calls of libc's that keep that promise. */
	void (*call)(struct patch_aside *a);
	/* How it is cut off, by the caller's thread; NULL: by cancelling it. */
	void (*cut)(struct patch_aside *a);
	bool done; /* atomic */
	bool returned;
	bool undone; /* set by `call`: it was cut off before it has done anything */
	pthread_t helper;
};

/* 0: `call` has returned. -ECANCELED, -EINTR (as the flags allow): it was cut off, and has not. -EAGAIN: no thread for it.
 * On a greenlet. */
int patch_aside(struct patch_aside *a, unsigned flags);

/* Around the blocking call inside `call`. */
void patch_aside_cancellable(bool yes);

/* One system call, which waits and then does something (a lock, a message). It is cut off exactly: 0, and *result is what
 * the kernel has answered, a value or -errno; or -ECANCELED, -EINTR (as the flags allow), and the kernel has done nothing.
 * -EAGAIN: no thread for it. On a greenlet. */
int patch_aside_syscall(long number, const long args[6], unsigned flags, long *result);

/* For the handler of the signal that cuts off (SIG_CANCEL): whether it has come for that, and to such a thread. */
bool patch_aside_cut_here(ucontext_t *context);

/* cuttable-ARCH.c: the call, unless *cut; -EINTR then. */
long patch_cuttable_call(const int *cut, long number, const long *args);
/* The context has not passed the system call in it, or the kernel would make it again: now it returns -EINTR. */
void patch_cuttable_leave(ucontext_t *context);

/* Waits in the kernel until somebody wakes the word with one of the bits, while it has that value, or for nothing; not
 * beyond the deadline. For words that another process shares. On a greenlet. 0, -ETIMEDOUT; -EINTR, -ECANCELED as the flags
 * allow; -EAGAIN: no thread for it. */
int patch_aside_futex(uint32_t *word, uint32_t expected, uint32_t bits, int64_t deadline, unsigned flags);

#endif
