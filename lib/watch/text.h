/* text.h: text that grows, for answers and reports. Out of memory it stops growing, and what is there is still a string. */
#ifndef GEV_WATCH_TEXT_H
#define GEV_WATCH_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct gev__text {
	char *at; /* NULL, or ends with a zero byte */
	size_t n;
	size_t room;
};

void gev__text_add(struct gev__text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* As a JSON string, quotes included. NULL: null. */
void gev__text_json(struct gev__text *t, const char *string);
/* A stretch of time as one reads it: 15us, 20.1ms, 3.00s, 12m05s, 3h20m. */
void gev__text_time(struct gev__text *t, int64_t ns);
/* Bytes: 900, 12k, 8.0M. */
void gev__text_size(struct gev__text *t, size_t bytes);
void gev__text_done(struct gev__text *t);

#endif
