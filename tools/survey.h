/* survey.h: what `gev check` found out: every function of libc that is imported and every system call past libc, each with its standing. */
#ifndef TOOLS_SURVEY_H
#define TOOLS_SURVEY_H

#include <stdbool.h>
#include <stddef.h>

#include "tools/elf/closure.h"
#include "tools/ledger.h"

struct finding {
	const char *name;
	enum standing standing;
	const char *family; /* NULL: not in the ledger, or a raw system call */
	const char *why;    /* NULL where it is cooperative */
	char *users; /* the files that import it or hold it, separated by ", "; of a raw call with the function's name */
	bool raw;
};

struct survey {
	struct closure closure;
	struct finding *findings; /* sorted by standing, the open ones first, then by why and name */
	size_t n;
	size_t count[STANDS_OPEN + 1]; /* of the imported functions */
	size_t n_raw_open;             /* places, not names */
	bool makes_threads;
	bool patched;        /* a process that has libpatch.so already */
	bool looked_for_raw; /* false: this gev cannot */
	const char *unread;  /* a file that could not be read; NULL: none */
};

/* Takes the closure over. */
void survey_make(struct survey *s, struct closure closure);
void survey_free(struct survey *s);

#endif
