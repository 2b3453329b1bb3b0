/* native.h: which threads the user keeps real (GEV_NATIVE). */
#ifndef PATCH_PTHREAD_NATIVE_H
#define PATCH_PTHREAD_NATIVE_H

#include <stdbool.h>

/* Whether a thread that begins at `entry` shall be libc's. */
bool patch_native_chosen(void *(*entry)(void *));

#endif
