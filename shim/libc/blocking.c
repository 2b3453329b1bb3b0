/* First without waiting; if it would have to, a real thread of the same process waits in the kernel. */
#include "shim/libc/blocking.h"

#include "shim/pthread/aside.h"
#include "shim/pthread/until.h"
#include "shim/signal/signals.h"

long blocking_call(const struct blocking *b)
{
	const unsigned flags = GEV_PARK_INTERRUPTIBLE | (b->cancels ? GEV_PARK_KILLABLE : 0);
	int64_t step = 0;
	long result;
	while ((result = b->attempt(b)) == -EAGAIN) {
		int r = patch_aside_syscall(b->number, b->args, flags, &result);
		if (r == 0)
			return result;
		if (r == -EAGAIN) /* no thread to be had: ask again and again */
			r = patch_nap(&step, GEV_NEVER, flags);
		if (r == -EINTR)
			r = patch_interrupted(b->restarts);
		if (r < 0)
			return r;
	}
	return result;
}
