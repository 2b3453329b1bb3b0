/* listing.h: the numbers of all open descriptors, as the kernel has them. */
#ifndef SHIM_LIBC_LISTING_H
#define SHIM_LIBC_LISTING_H

#include <stdbool.h>

/* Calls visit for each, in no order. False: it cannot be told (no /proc). Async-signal-safe; errno is not kept. */
bool each_open(void (*visit)(int fd, void *arg), void *arg);

#endif
