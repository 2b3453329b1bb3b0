/* next.h: what dlsym would find, found without a lock, without memory and without a trace. */
#ifndef PATCH_NEXT_H
#define PATCH_NEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct link_map;

/* The function `name` of the first object after ours in load order that defines it: of that version if the object has
 * it, else the one that a program linked today would get. NULL: no object up to libc defines it. Async-signal-safe; any thread. */
void *patch_next(const char *name, const char *version);

/* What libc.so.6 itself exports by that name, the default version; NULL: nothing. And what we do. Async-signal-safe; any thread. */
void *patch_in_libc(const char *name);
void *patch_exported(const char *name);

/* Where in libc's block of thread-local storage that variable lies, and where libc is loaded; -1: it exports none. */
ptrdiff_t patch_tls_in_libc(const char *name, uintptr_t *base);

/* Of the loaded object `map`, which is not unloaded meanwhile: whether it is ours; the function of that name that it exports, and whether it does; and, where it was there
 * before the program's first instruction, whether the next one of that name behind it is libc's. */
bool patch_is_ours(const struct link_map *map);
void *patch_in(const struct link_map *map, const char *name); /* NULL: it does not */
bool patch_exports(const struct link_map *map, const char *name);
bool patch_libc_is_next(const struct link_map *map, const char *name);

/* Whether what patch_next finds is not libc's, but of a library that was preloaded after ours. Async-signal-safe. */
bool patch_next_is_anothers(const char *name);

#endif
