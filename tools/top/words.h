/* words.h: the lines of gev top. */
#ifndef TOOLS_TOP_WORDS_H
#define TOOLS_TOP_WORDS_H

#include <stddef.h>
#include <stdint.h>

#include "tools/top/picture.h"

/* What a greenlet waits for, as docs/control.md has it; empty texts and zeros where it says nothing. */
struct wait {
	const char *what; /* "for"; empty: it does not wait */
	int64_t fd;
	int64_t n;
	const char *to;
	const char *about;
	const char *address;
	const char *symbol;
	int64_t owner;
	int64_t left_ns;
};

/* For the caller to free. */
char *words_of_wait(const struct wait *w);

/* Two lines about the process, and the heading of the rows; each without a newline. */
void words_of_process(const struct picture *p, pid_t pid, const char *program, char *line, size_t size);
void words_of_counts(const struct picture *p, char *line, size_t size);
const char *words_of_heading(void);
void words_of_row(const struct row *r, char *line, size_t size);

#endif
