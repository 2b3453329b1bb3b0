/* libgev's options. */
#include "lib/base/options.h"

#include "lib/base/lock.h"
#include "lib/base/log.h"

static struct gev__options options;
static struct gev__lock lock;
static int read_already; /* atomic */

/* Under the lock, so that a wrong value is said once. */
static void read_all(void)
{
	int saved = errno;
#define LIB_OPTION(field, kind, name, standard, shape, sentence)                                                       \
	gev__option_read(&(struct gev__option){GEV__OPTION_##kind, name, standard, shape, sentence}, &options.field,   \
			 gev__warn);
#define SHIM_OPTION(field, kind, name, standard, shape, sentence)
#include "lib/base/options.def"
#undef LIB_OPTION
#undef SHIM_OPTION
	errno = saved;
	__atomic_store_n(&read_already, 1, __ATOMIC_RELEASE);
}

const struct gev__options *gev__options(void)
{
	if (!__atomic_load_n(&read_already, __ATOMIC_ACQUIRE)) {
		gev__lock(&lock);
		if (!__atomic_load_n(&read_already, __ATOMIC_RELAXED))
			read_all();
		gev__unlock(&lock);
	}
	return &options;
}

void gev__option_wrong(const char *name, const char *text, const char *wanted, const char *taken)
{
	gev__warn("%s=%s: wanted is %s; taking %s", name, text, wanted, *taken ? taken : "none");
}
