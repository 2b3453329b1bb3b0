/* What the kernel keeps for its thread: file system ids, capabilities, namespaces, the personality, segment registers. All green threads run on one kernel
 * thread, so what one of them sets holds for all. To change it at each switch would cost every switch a system call. A thread that needs its own is
 * to be named in GEV_NATIVE. */
#include "shim/base/log.h"
#include "shim/base/patch.h"

#define GREEN(ret, name, params, args, family, version, fixture)
#define ALIAS(alias, name)
#define REAL(ret, name, params, args, version)
#define PASS(name, family, reason)
#define LATER(name, family, why)

#define SHARED(ret, name, params, args, family, version, fixture)                                                      \
	ret patch_##name params                                                                                        \
	{                                                                                                              \
		tell(#name);                                                                                           \
		return real.name args;                                                                                 \
	}                                                                                                              \
	EXPORT(name);

static void tell(const char *name)
{
	int saved = errno;
	if (patch_started && patch_gev->self_if_others())
		patch_say_once("%s holds for all green threads at once: GEV_NATIVE keeps a thread apart", name);
	errno = saved;
}

#include "shim/base/symbols.def"

EXPORT_AS(__arch_prctl, arch_prctl);
