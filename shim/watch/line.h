/* line.h: one line of a trace. */
#ifndef PATCH_WATCH_LINE_H
#define PATCH_WATCH_LINE_H

#include <stdbool.h>
#include <stdint.h>

struct patch_line {
	const char *name;
	const char *type;   /* of the result */
	const char *params; /* "(int fd, void *buf, size_t n)" */
	int64_t began;
	uint64_t ran;
	uint64_t parks;
	bool counted; /* the last two are true */
};

void patch_line_begin(struct patch_line *line, const char *name, const char *type, const char *params);

/* With the arguments of the call, each in a register of its own. Writes the line to standard error: greenlet, call, arguments, result, time parked.
 * errno stays. */
void patch_line_end(const struct patch_line *line, uintptr_t result, ...);

#endif
