/* log.h: what the library says on standard error, one line each, "libgev: ..."; and how it ends when it cannot go on. */
#ifndef GEV_BASE_LOG_H
#define GEV_BASE_LOG_H

void gev__warn(const char *format, ...) __attribute__((format(printf, 1, 2)));
void gev__die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

/* For what must never be, in every build: the invariant in words, and where. */
#define gev__must(condition)                                                                                           \
	do {                                                                                                           \
		if (__builtin_expect(!(condition), 0))                                                                 \
			gev__die("%s:%d: broken invariant: %s", __FILE__, __LINE__, #condition);                       \
	} while (0)

#endif
