/* numbers.h: syscall(2) with the number of a call that has a wrapper. */
#ifndef SHIM_LIBC_NUMBERS_H
#define SHIM_LIBC_NUMBERS_H

#include "shim/base/patch.h"

/* Whether it was made, as by the wrapper; then *r and errno are its answer. */
bool patch_numbered_call(long number, const long a[6], long *r);

#endif
