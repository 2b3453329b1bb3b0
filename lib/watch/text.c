/* Growing text. */
#include "lib/watch/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static bool reserve(struct gev__text *t, size_t more)
{
	if (t->n + more < t->room)
		return true;
	size_t room = (t->n + more + 1) * 2;
	char *at = realloc(t->at, room);
	if (at == NULL)
		return false;
	t->at = at;
	t->room = room;
	return true;
}

void gev__text_add(struct gev__text *t, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	int n = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (n < 0 || !reserve(t, (size_t)n + 1))
		return;
	va_start(args, format);
	vsnprintf(t->at + t->n, (size_t)n + 1, format, args);
	va_end(args);
	t->n += (size_t)n;
}

void gev__text_json(struct gev__text *t, const char *string)
{
	if (string == NULL) {
		gev__text_add(t, "null");
		return;
	}
	gev__text_add(t, "\"");
	for (const unsigned char *c = (const unsigned char *)string; *c; c++) {
		if (*c == '"' || *c == '\\')
			gev__text_add(t, "\\%c", *c);
		else if (*c < 0x20 || *c >= 0x7f)
			gev__text_add(t, "\\u%04x",
				      *c); /* names are bytes: each is taken for the character of that number */
		else
			gev__text_add(t, "%c", *c);
	}
	gev__text_add(t, "\"");
}

void gev__text_time(struct gev__text *t, int64_t ns)
{
	double s = (double)ns / 1e9;
	if (ns < 1000000)
		gev__text_add(t, "%lldus", (long long)(ns / 1000));
	else if (s < 1)
		gev__text_add(t, "%.1fms", s * 1e3);
	else if (s < 100)
		gev__text_add(t, "%.2fs", s);
	else if (s < 6000)
		gev__text_add(t, "%dm%02ds", (int)s / 60, (int)s % 60);
	else
		gev__text_add(t, "%dh%02dm", (int)(s / 3600), (int)(s / 60) % 60);
}

void gev__text_size(struct gev__text *t, size_t bytes)
{
	if (bytes < 1000)
		gev__text_add(t, "%zu", bytes);
	else if (bytes < 1000 << 10)
		gev__text_add(t, "%zuk", (bytes + 512) >> 10);
	else
		gev__text_add(t, "%.1fM", (double)bytes / (1 << 20));
}

void gev__text_done(struct gev__text *t)
{
	free(t->at);
	*t = (struct gev__text){0};
}
