/* libpatch's options. */
#include "shim/base/options.h"

#include <string.h>

#include "shim/base/log.h"

static struct patch_options options;
static int read_already;

const struct patch_options *patch_options(void)
{
	if (!__atomic_load_n(&read_already, __ATOMIC_ACQUIRE)) {
		int saved = errno;
#define LIB_OPTION(field, kind, name, standard, shape, sentence)
#define SHIM_OPTION(field, kind, name, standard, shape, sentence)                                                      \
	gev__option_read(&(struct gev__option){GEV__OPTION_##kind, name, standard, shape, sentence}, &options.field,   \
			 patch_say);
#include "lib/base/options.def"
#undef LIB_OPTION
#undef SHIM_OPTION
		/* The program may write over its environment, to show another command line, long before it makes a thread. Its malloc may not be
		 * ready yet. */
		static char native[4096];
		size_t size = strlen(options.native) + 1;
		if (options.native != native && size <= sizeof native)
			options.native = memcpy(native, options.native, size);
		errno = saved;
		__atomic_store_n(&read_already, 1, __ATOMIC_RELEASE);
	}
	return &options;
}
