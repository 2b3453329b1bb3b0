/* preload.h: where libpatch.so is, and what LD_PRELOAD becomes. */
#ifndef TOOLS_PRELOAD_H
#define TOOLS_PRELOAD_H

#include <stddef.h>

/* Puts libpatch.so in front of what LD_PRELOAD holds already; does nothing when it is in it. 0, or -1 with a sentence in `why`. */
int preload(char *why, size_t size);

#endif
