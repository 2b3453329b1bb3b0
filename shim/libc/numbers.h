/* numbers.h: syscall(2) with the number of a call that has a wrapper. */
#ifndef SHIM_LIBC_NUMBERS_H
#define SHIM_LIBC_NUMBERS_H

#include "shim/base/patch.h"
#include "shim/pthread/cancel.h"

/* An argument as what it is. */
#define P(type, x) ((type)(x))

/* syscall() is no cancellation point, whatever it calls (pthreads(7)); what waits, holds cancellation off meanwhile. */
#define HELD(call)                                                                                                     \
	do {                                                                                                           \
		bool held = patch_cancel_hold();                                                                       \
		call;                                                                                                  \
		patch_cancel_let(held);                                                                                \
	} while (0)

/* Whether it was made, as by the wrapper; then *r and errno are its answer. */
bool patch_numbered_call(long number, const long a[6], long *r);

/* The same, of what waits for something else than one descriptor's data (numbers_waits.c). */
bool numbers_on_waits(long number, const long a[6], long *r);

#endif
