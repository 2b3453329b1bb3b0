/* closure.h: a program and every library that it runs with. */
#ifndef TOOLS_ELF_CLOSURE_H
#define TOOLS_ELF_CLOSURE_H

#include <sys/types.h>

#include "tools/elf/object.h"

/* In the order in which the dynamic linker searches them; the program first. */
struct closure {
	struct object *objects;
	size_t n;
};

/* What the dynamic linker would load for the ELF file at its start, LD_LIBRARY_PATH and LD_PRELOAD included: it is asked itself.
 * 0; -1 and a sentence in `why`. */
int closure_of_program(const char *path, struct closure *c, char *why, size_t size);

/* What the process has mapped as code. 0; -1 and a sentence in `why`. */
int closure_of_process(pid_t pid, struct closure *c, char *why, size_t size);

void closure_free(struct closure *c);

/* Whether that import is libc's: by its version, and without one if of the objects that export the name libc is the first. */
bool closure_is_libcs(const struct closure *c, const struct import *import);

/* Whether any object but libc's own and ours imports the name from libc. */
bool closure_imports(const struct closure *c, const char *name);

#endif
