/* syscall(): the numbers that programs and runtimes call by themselves and that mean threads or waiting. Every other
 * one goes through as it is; and of a library in which our own originals end, all but those of threads. None of them is a cancellation point. */
#include <sys/syscall.h>

#include "shim/base/between.h"
#include "shim/libc/numbers.h"
#include "shim/pthread/futex.h"
#include "shim/pthread/thread.h"
#include "shim/signal/signals.h"

long patch_syscall(long number, long a, long b, long c, long d, long e, long f)
{
	int r;
	long result;
	bool original = unlikely(patch_between_any()) && patch_between(__builtin_return_address(0));
	if (likely(patch_started))
		switch (number) {
		case SYS_futex:
			return patch_futex((uint32_t *)a, (int)b, (uint32_t)c, d, (uint32_t *)e, (uint32_t)f);
		case SYS_futex_waitv:
			return patch_futex_waitv((const long[6]){a, b, c, d, e, f});
		case SYS_gettid:
			if (original)
				break;
			return patch_gettid();
		case SYS_set_tid_address:
			if (!original && patch_clear_number_at((int *)a))
				return patch_gettid();
			break;
		case SYS_tgkill:
			if (patch_kill_numbered((pid_t)a, (pid_t)b, (int)c, &r))
				return r;
			break;
		case SYS_tkill:
			if (patch_kill_numbered(getpid(), (pid_t)a, (int)b, &r))
				return r;
			break;
		default:
			if (!original && patch_numbered_call(number, (const long[6]){a, b, c, d, e, f}, &result))
				return result;
			break;
		}
	if (likely(!(__atomic_load_n(&patch_restless, __ATOMIC_RELAXED) & PATCH_TICKS)) || !patch_signals_ours())
		return real.syscall(number, a, b, c, d, e, f);
	patch_calm();
	result = real.syscall(number, a, b, c, d, e, f);
	int saved = errno;
	patch_ticks_resume();
	errno = saved;
	return result;
}
EXPORT(syscall);
