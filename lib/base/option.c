/* The options, from the environment. secure_getenv: a set-uid program listens to nobody. */
#include "lib/base/option.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/base/log.h"

static struct gev__options options;
static int read_already;

static long number(const char *name, long value, long lowest, long highest)
{
	const char *text = secure_getenv(name);
	if (text == NULL || *text == '\0')
		return value;
	char *end;
	errno = 0;
	long given = strtol(text, &end, 0);
	if (errno || *end || given < lowest || given > highest) {
		gev__warn("%s=%s is not a number from %ld to %ld; taking %ld", name, text, lowest, highest, value);
		return value;
	}
	return given;
}

const struct gev__options *gev__options(void)
{
	/* Two threads that meet here read the same environment and store the same values. */
	if (!__atomic_load_n(&read_already, __ATOMIC_ACQUIRE)) {
#define OPTION(field, name, value, lowest, highest, sentence)                                                          \
	__atomic_store_n(&options.field, number(name, value, lowest, highest), __ATOMIC_RELAXED);
#include "lib/base/option.def"
#undef OPTION
		__atomic_store_n(&read_already, 1, __ATOMIC_RELEASE);
	}
	return &options;
}
