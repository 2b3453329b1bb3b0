/* close.h: what every call that ends or begins a descriptor number says. */
#ifndef SHIM_LIBC_CLOSE_H
#define SHIM_LIBC_CLOSE_H

#include "shim/base/patch.h"

/* fd is about to be closed or replaced. errno is kept. fd_gone of the same number must follow, done or failed. */
void fd_goes(int fd);
void fd_gone(int fd);
/* `to` now stands for what `from` stands for. errno is kept. */
void fd_dupped(int from, int to);

#endif
