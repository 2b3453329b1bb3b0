/* fit.h: can this file be patched by a preload at all? */
#ifndef TOOLS_ELF_FIT_H
#define TOOLS_ELF_FIT_H

#include <stdbool.h>
#include <stddef.h>

/* Whether the dynamic linker would put a preloaded library into the program that executing `path` starts: follows #! lines.
 * true: yes. false: no, and `why` says it in one sentence without a full stop. A file that cannot be read is taken to be fit:
 * the kernel may run what we may not read.
 * *binary receives the name of the ELF file at the end of the #! lines, for the caller to free; NULL where it could not be read. */
bool fit(const char *path, char **binary, char *why, size_t size);

#endif
