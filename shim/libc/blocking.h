/* blocking.h: calls that wait in the kernel for what no descriptor tells of: locks of files, System V queues. */
#ifndef SHIM_LIBC_BLOCKING_H
#define SHIM_LIBC_BLOCKING_H

#include "shim/libc/wait.h"

struct blocking {
	/* The call that does not wait: a result or -errno; -EAGAIN: it would have to. */
	long (*attempt)(const struct blocking *b);
	/* The call that does, for a real thread. */
	long number;
	long args[6];
	bool restarts; /* SA_RESTART applies to it (signal(7)) */
	bool cancels;  /* libc makes it a cancellation point */
};

/* A result or -errno. What was interrupted or cancelled has not been done. On a greenlet. */
long blocking_call(const struct blocking *b);

#endif
