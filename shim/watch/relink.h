/* relink.h: leading the program's calls elsewhere, when somebody wants to look on. Nothing of this runs otherwise. */
#ifndef PATCH_WATCH_RELINK_H
#define PATCH_WATCH_RELINK_H

/* For every function that an object of the program imports: `chooses` gets its name and what the import is bound to, or will be at its first call, and
 * says what it shall be bound to, or NULL: as it is. libc, the dynamic linker, libpatch, and what libgev brings along are left alone. An object that is
 * opened later is found by a later call. One call at a time. */
void patch_relink(void *(*chooses)(const char *name, void *bound));

#endif
