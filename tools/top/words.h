/* words.h: the lines of gev top. */
#ifndef TOOLS_TOP_WORDS_H
#define TOOLS_TOP_WORDS_H

#include <stddef.h>
#include <stdint.h>

#include "tools/top/picture.h"

/* Two lines about the process, and the heading of the rows; each without a newline. */
void words_of_process(const struct picture *p, pid_t pid, const char *program, char *line, size_t size);
void words_of_counts(const struct picture *p, char *line, size_t size);
const char *words_of_heading(void);
void words_of_row(const struct row *r, char *line, size_t size);

#endif
