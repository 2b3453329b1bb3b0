/* vfork, apart from its entry, which each architecture has in a file of its own.
 *
 * vfork returns twice from one frame, so no C function can stand between the program and libc's: the entry asks
 * vfork_target where to go, and jumps there with the stack as it found it. Without a runtime that is libc's vfork.
 * With one it is _Fork: the child would run in the parent's memory, and a close of its own would end the parent's
 * waits. POSIX.1-2001 lets vfork be fork; and none of them runs the handlers of pthread_atfork. */
#include "shim/libc/vfork.h"

#include "shim/base/patch.h"

void *vfork_target(void)
{
	static void *vfork_of_libc;
	void *target = __atomic_load_n(&vfork_of_libc, __ATOMIC_RELAXED);
	if (unlikely(target == NULL)) {
		target = patch_original("vfork");
		__atomic_store_n(&vfork_of_libc, target, __ATOMIC_RELAXED);
	}
	return patch_started || target == NULL ? (void *)patch__Fork : target;
}
