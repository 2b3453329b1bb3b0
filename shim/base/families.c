/* Which families of calls are ours: all, unless GEV_ONLY or GEV_EXCEPT names some. Read once, when the runtime starts. */
#include "shim/base/options.h"
#include "shim/base/patch.h"

bool patch_enters[PATCH_FAMILIES];

void patch_families_start(void)
{
	const struct patch_options *o = patch_options();
	int64_t ours = o->only & ~o->except;
	__atomic_store_n(&patch_enters[PATCH_ANY], true, __ATOMIC_RELEASE);
	for (int i = PATCH_ANY + 1; i < PATCH_FAMILIES; i++)
		__atomic_store_n(&patch_enters[i], ours >> (i - 1) & 1, __ATOMIC_RELEASE);
}
