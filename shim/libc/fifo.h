/* fifo.h: opening a FIFO without stopping the OS thread. */
#ifndef SHIM_LIBC_FIFO_H
#define SHIM_LIBC_FIFO_H

#include "shim/base/patch.h"

/* Whether a native openat would wait for the other end: a FIFO, and one end of it only. */
bool fifo_would_wait(int dir, const char *path, int flags);
/* openat of such a one: a descriptor or -errno. */
int fifo_open(int dir, const char *path, int flags);

#endif
