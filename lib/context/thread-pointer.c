/* Which way the thread pointer may be written, asked once. */
#include "lib/context/thread-pointer.h"

#include <sys/auxv.h>

#include "lib/base/options.h"

#if defined(__x86_64__)

#define HWCAP2_FSGSBASE (1UL << 1)

bool gev__tp_fsgsbase;

void gev__tp_init(void)
{
	bool can = (getauxval(AT_HWCAP2) & HWCAP2_FSGSBASE) && gev__options()->fsgsbase;
	__atomic_store_n(&gev__tp_fsgsbase, can, __ATOMIC_RELAXED);
}

#else

void gev__tp_init(void)
{
}

#endif
