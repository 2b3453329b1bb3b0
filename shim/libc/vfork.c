/* vfork, apart from its entry, which each architecture has in a file of its own.
 *
 * vfork returns twice from one frame, so no C function can stand between the program and libc's: the entry asks
 * vfork_target where to go, and jumps there with the stack as it found it. Without a runtime that is libc's vfork.
 * With one it is _Fork; POSIX.1-2001 lets vfork be fork, and none of them runs the handlers of pthread_atfork. Two things stand against a true one:
 *
 *   - The kernel stops the OS thread until the child has begun a program or ended (vfork(2)), and with it every green thread, where natively the
 *     caller alone waits: a child that waits for one of them, for a file of theirs or a pipe, would never end.
 *   - The child runs in the parent's memory. Some seventy wrappers keep records there, of descriptors, masks and handlers, which what children do before
 *     they begin a program (close, dup2, sigaction, sigprocmask) would make untrue for the parent: a close would end the parent's waits.
 *
 * The price is a copy of the page tables: 0.35 ms in a process of 1 MiB, 1.4 ms with 30, 11 ms with 200, where a true vfork takes 20 us (measured, as
 * the fork of a native process: 0.18, 1.2 and 9.9 ms). posix_spawn is libc's own, and a true one. */
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
