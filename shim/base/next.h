/* next.h: what dlsym(RTLD_NEXT, name) would find, found without a lock, without memory and without a trace. */
#ifndef PATCH_NEXT_H
#define PATCH_NEXT_H

/* The function `name` of the first object after ours in load order that defines it: of that version if the object has
 * it, else the one that a program linked today would get. NULL: no object up to libc defines it. Async-signal-safe; any thread. */
void *patch_next(const char *name, const char *version);

#endif
