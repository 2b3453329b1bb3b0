/* dlsym.h: between dlsym.c and the entries of the architecture. */
#ifndef SHIM_LIBC_DLSYM_H
#define SHIM_LIBC_DLSYM_H

/* libc's own, once one of the functions below has been called. */
extern void *dlsym_original __attribute__((visibility("hidden")));
extern void *dlvsym_original __attribute__((visibility("hidden")));

/* What the code at `caller` is told; NULL: what libc's own will say to it. */
void *dlsym_answer(void *handle, const char *name, const void *caller);
void *dlvsym_answer(void *handle, const char *name, const char *version, const void *caller);

#endif
