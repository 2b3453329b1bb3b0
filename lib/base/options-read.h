/* options-read.h: from the text of an environment variable to the value of an option.
 *
 * Header only, and libc alone: libpatch reads its options before there is a libgev, and the gev command without either. Whoever
 * includes it makes a struct from the rows of options.def that are his, and calls gev__option_read for each.
 * secure_getenv: a program with more rights than its caller listens to nobody. */
#ifndef GEV_BASE_OPTIONS_READ_H
#define GEV_BASE_OPTIONS_READ_H

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum gev__option_kind {
	GEV__OPTION_NUMBER,
	GEV__OPTION_SIZE,
	GEV__OPTION_TIME,
	GEV__OPTION_CHOICE,
	GEV__OPTION_LIST,
	GEV__OPTION_TEXT,
};

/* A row of options.def. */
struct gev__option {
	enum gev__option_kind kind;
	const char *name;
	const char *standard; /* what holds when nothing is said */
	const char *shape;
	const char *sentence;
};

/* The families of shim/base/symbols.def that can be traced: all that have a wrapper; and "sync", six of them. */
#define PATCH_TRACE_FAMILIES                                                                                           \
	"time|io|descriptor|socket|poll|process|thread|mutex|cond|rwlock|barrier|spin|sem|c11|signal|names|sync"       \
	"|file|stdio|ipc|aio|loader|uring"

/* The type of a row's field, by its kind. */
#define GEV__OPTION_TYPE_NUMBER int64_t
#define GEV__OPTION_TYPE_SIZE int64_t
#define GEV__OPTION_TYPE_TIME int64_t
#define GEV__OPTION_TYPE_CHOICE int64_t
#define GEV__OPTION_TYPE_LIST int64_t
#define GEV__OPTION_TYPE_TEXT const char *

struct gev__unit {
	const char *name;
	int64_t factor;
};

static inline const struct gev__unit *gev__option_units(enum gev__option_kind kind)
{
	static const struct gev__unit none[] = {{"", 1}, {NULL, 0}};
	static const struct gev__unit sizes[] = {{"", 1},        {"k", 1 << 10}, {"K", 1 << 10},
						 {"M", 1 << 20}, {"G", 1 << 30}, {"T", INT64_C(1) << 40},
						 {NULL, 0}};
	static const struct gev__unit times[] = {
		{"ns", 1}, {"us", 1000}, {"ms", 1000000}, {"s", 1000000000}, {NULL, 0}};
	return kind == GEV__OPTION_SIZE ? sizes : kind == GEV__OPTION_TIME ? times : none;
}

/* A count with its unit, up to `end`. */
static inline bool gev__option_count(enum gev__option_kind kind, const char *text, const char *end, int64_t *value)
{
	char *rest;
	errno = 0;
	long long number = strtoll(text, &rest, 10);
	if (errno || rest == text || rest > end || isspace((unsigned char)*text))
		return false;
	size_t length = (size_t)(end - rest);
	if (number == 0 && length == 0) {
		*value = 0;
		return true;
	}
	for (const struct gev__unit *u = gev__option_units(kind); u->name; u++)
		if (strlen(u->name) == length && memcmp(u->name, rest, length) == 0)
			return !__builtin_mul_overflow(number, u->factor, value);
	return false;
}

static inline bool gev__option_in_range(const struct gev__option *o, const char *text, int64_t *value)
{
	static const char off[] = "off|";
	bool may_be_off = strncmp(o->shape, off, sizeof off - 1) == 0;
	const char *shape = o->shape + (may_be_off ? sizeof off - 1 : 0), *dots = strstr(shape, "..");
	int64_t lowest, highest;
	if (may_be_off && (strcmp(text, "off") == 0 || strcmp(text, "0") == 0)) {
		*value = 0;
		return true;
	}
	return dots && gev__option_count(o->kind, shape, dots, &lowest) &&
	       gev__option_count(o->kind, dots + 2, dots + strlen(dots), &highest) &&
	       gev__option_count(o->kind, text, text + strlen(text), value) && *value >= lowest && *value <= highest;
}

/* The place of a word in word|word|...; -1: it is none of them. */
static inline int gev__option_word(const char *words, const char *word, size_t length)
{
	for (int place = 0;; place++) {
		size_t n = strcspn(words, "|");
		if (n == length && memcmp(words, word, n) == 0)
			return place;
		if (words[n] == '\0')
			return -1;
		words += n + 1;
	}
}

static inline bool gev__option_list(const char *words, const char *text, int64_t *value)
{
	*value = 0;
	while (*text) {
		size_t n = strcspn(text, ",");
		int place = gev__option_word(words, text, n);
		if (place >= 0)
			*value |= INT64_C(1) << place;
		else if (n == 3 && memcmp(text, "all", n) == 0)
			*value = INT64_MAX;
		else
			return false;
		text += n;
		text += *text == ',';
	}
	return true;
}

/* Not for TEXT, whose value is the text. */
static inline bool gev__option_parse(const struct gev__option *o, const char *text, int64_t *value)
{
	switch (o->kind) {
	case GEV__OPTION_CHOICE:
		*value = gev__option_word(o->shape, text, strlen(text));
		return *value >= 0;
	case GEV__OPTION_LIST:
		return gev__option_list(o->shape, text, value);
	default:
		return gev__option_in_range(o, text, value);
	}
}

/* Sets *field, which has the type of the row's kind. An empty text is as none. A wrong one is said by warn, and the default holds. */
static inline void gev__option_read(const struct gev__option *o, void *field,
				    void (*warn)(const char *format, ...) __attribute__((format(printf, 1, 2))))
{
	const char *text = secure_getenv(o->name);
	bool given = text && *text;
	if (o->kind == GEV__OPTION_TEXT) {
		const char *chosen = given ? text : o->standard;
		__atomic_store_n((const char **)field, chosen, __ATOMIC_RELAXED);
		return;
	}
	int64_t value = 0;
	if (given && !gev__option_parse(o, text, &value)) {
		warn("%s=%s: wanted is %s%s; taking %s", o->name, text,
		     o->kind == GEV__OPTION_LIST ? "a list, by commas, of " : "", o->shape,
		     *o->standard ? o->standard : "none");
		given = false;
	}
	if (!given)
		gev__option_parse(o, o->standard, &value);
	__atomic_store_n((int64_t *)field, value, __ATOMIC_RELAXED);
}

#endif
