/* next.h: what dlsym(RTLD_NEXT, name) would find, found without a lock, without memory and without a trace. */
#ifndef PATCH_NEXT_H
#define PATCH_NEXT_H

#include <stdbool.h>

/* The function `name` of the first object after ours in load order that defines it: of that version if the object has
 * it, else the one that a program linked today would get. NULL: no object up to libc defines it. Async-signal-safe; any thread. */
void *patch_next(const char *name, const char *version);

/* Whether what patch_next finds is not libc's, but of a library that was preloaded after ours. Async-signal-safe. */
bool patch_next_is_anothers(const char *name);

#endif
