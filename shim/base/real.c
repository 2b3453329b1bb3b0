/* The originals, each found at its first call.
 *
 * Every pointer of `real` starts at a small function made from its row: it looks the symbol up, stores what
 * it found, and goes on there. Two threads that meet here store the same value, and a look-up that is itself interrupted by
 * a first call of the same name is merely done twice. */
#include "shim/base/real.h"

#include <dlfcn.h>

#include "shim/base/log.h"
#include "shim/base/next.h"

/* patch_next finds everything in an ordinary process. dlsym is for the others: where libpatch was itself opened by dlopen,
 * no object comes after it in load order, but its own dependencies are still searched. */
void *patch_original(const char *name)
{
	void *f = patch_next(name, NULL);
	return f != NULL ? f : dlsym(RTLD_NEXT, name);
}

static void *find(const char *name, const char *version)
{
	void *f = patch_next(name, version);
	if (f == NULL && version != NULL)
		f = dlvsym(RTLD_NEXT, name, version);
	if (f == NULL)
		f = dlsym(RTLD_NEXT, name);
	if (f == NULL)
		patch_die("this libc has no %s", name);
	return f;
}

#define GREEN(ret, name, params, args, family, version, fixture) REAL(ret, name, params, args, version)
#define REAL(ret, name, params, args, version)                                                                         \
	static ret first_##name params                                                                                 \
	{                                                                                                              \
		real.name = (ret(*) params)find(#name, version);                                                       \
		return real.name args;                                                                                 \
	}
#define ALIAS(alias, name)
#define PASS(name, family, reason)
#define LATER(name, family, why)
#include "shim/base/symbols.def"
#undef GREEN
#undef REAL

#define GREEN(ret, name, params, args, family, version, fixture) .name = first_##name,
#define REAL(ret, name, params, args, version) .name = first_##name,
struct patch_real real = {
#include "shim/base/symbols.def"
};
