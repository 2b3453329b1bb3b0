/* prctl: what of it belongs to a thread and can be kept for a green one: its name.
 *
 * The rest reaches the OS thread or the process, as libc's does. */
#include <string.h>
#include <sys/prctl.h>

#include "shim/pthread/thread.h"

int patch_prctl(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d)
{
	bool own = patch_me.state != PATCH_FOREIGN && !patch_me.is_main;
	if (likely(!own) || (option != PR_SET_NAME && option != PR_GET_NAME))
		return real.prctl(option, a, b, c, d);
	if (option == PR_GET_NAME)
		return patch_pthread_getname_np(pthread_self(), (char *)a, sizeof patch_me.name) ? -1 : 0;
	/* Cut to what fits (PR_SET_NAME(2const)). */
	char name[sizeof patch_me.name] = "";
	strncpy(name, (const char *)a, sizeof name - 1);
	return patch_pthread_setname_np(pthread_self(), name);
}
EXPORT(prctl);
