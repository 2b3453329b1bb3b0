/* vfork.h: between vfork.c and the entry of the architecture. */
#ifndef SHIM_LIBC_VFORK_H
#define SHIM_LIBC_VFORK_H

/* The function that vfork is just now. */
void *vfork_target(void);

#endif
