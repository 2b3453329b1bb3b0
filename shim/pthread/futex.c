/* syscall(SYS_futex, ...): how runtimes that bring their own locks wait (libstdc++'s guards, futures and std::atomic;
 * Rust's std).
 *
 * A green thread waits in the lot, an OS thread in the kernel. Whoever wakes does not know which it was, so he looks
 * in the lot first and wakes in the kernel what is left of his number. A futex may return for nothing (futex(2),
 * FUTEX_WAIT), so requeues and bit sets just wake everybody in the lot.
 *
 * A futex that is not marked private may lie in memory that another process shares, and that one wakes through the
 * kernel: a green thread that waits for such a one looks at the word now and then.
 *
 * Every other system call goes through as it is.
 */
#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>

#include "shim/pthread/thread.h"
#include "shim/pthread/until.h"
#include "shim/signal/signals.h"

struct watch {
	const uint32_t *word;
	uint32_t expected;
};

static bool as_expected(void *arg)
{
	struct watch *w = arg;
	return __atomic_load_n(w->word, __ATOMIC_SEQ_CST) == w->expected;
}

/* 0, -EAGAIN, -ETIMEDOUT or -EINTR. */
static int wait_private(struct watch *w, int64_t deadline)
{
	return patch_gev->lot_wait(w->word, as_expected, NULL, w, deadline, GEV_PARK_INTERRUPTIBLE | GEV_ON_FUTEX,
				   NULL);
}

static int wait_shared(struct watch *w, int64_t deadline)
{
	enum { FIRST_LOOK = 1000000, LAST_LOOK = 16000000 };
	bool queued = false;
	for (int64_t look = FIRST_LOOK;; look = look < LAST_LOOK ? look * 2 : look) {
		int64_t now = patch_now();
		int r = wait_private(w, deadline - now < look ? deadline : now + look);
		if (r == -EAGAIN)
			return queued ? 0 : r;
		if (r == 0 || r == -EINTR || patch_now() >= deadline)
			return r;
		queued = true;
	}
}

/* FUTEX_WAIT has a time to wait, FUTEX_WAIT_BITSET a time to wait until, on the clock that its flag says. */
static int wait(const uint32_t *word, int op, uint32_t expected, const struct timespec *time)
{
	struct watch w = {.word = word, .expected = expected};
	clockid_t clock = op & FUTEX_CLOCK_REALTIME ? CLOCK_REALTIME : CLOCK_MONOTONIC;
	if (time && (!patch_time_ok(time) || time->tv_sec < 0))
		return -EINVAL;
	for (;;) {
		int64_t deadline = patch_until(clock, time);
		if (time && (op & FUTEX_CMD_MASK) == FUTEX_WAIT) {
			int64_t now = patch_now();
			int64_t span = patch_until(CLOCK_MONOTONIC, time);
			deadline = span >= GEV_NEVER - now ? GEV_NEVER : now + span;
		}
		int r = op & FUTEX_PRIVATE_FLAG ? wait_private(&w, deadline) : wait_shared(&w, deadline);
		/* Restarted only without a time limit (kernel/futex/waitwake.c, futex_wait). */
		if (r == -EINTR && patch_interrupted(time == NULL) == 0)
			continue;
		if (r != -ETIMEDOUT || (op & FUTEX_CMD_MASK) == FUTEX_WAIT || patch_reached(clock, time))
			return r;
	}
}

static int convert(int r)
{
	if (r >= 0)
		return r;
	errno = -r;
	return -1;
}

static long futex(uint32_t *word, int op, uint32_t value, long time, uint32_t *other, uint32_t extra)
{
	int woken = 0, most = value > INT_MAX ? INT_MAX : (int)value;
	switch (op & FUTEX_CMD_MASK) {
	case FUTEX_WAIT:
	case FUTEX_WAIT_BITSET:
		/* The kernel refuses a word that is not aligned, and a wait that no bit can end (futex(2)). */
		if (patch_self() == NULL || ((uintptr_t)word & 3) ||
		    ((op & FUTEX_CMD_MASK) == FUTEX_WAIT_BITSET && extra == 0))
			break;
		return convert(wait(word, op, value, (const struct timespec *)time));
	case FUTEX_WAKE:
		woken = patch_gev->lot_wake(word, most, 0);
		if (woken == most)
			return woken;
		value -= (uint32_t)woken;
		break;
	case FUTEX_CMP_REQUEUE:
		if (__atomic_load_n(word, __ATOMIC_SEQ_CST) != extra)
			return convert(-EAGAIN);
		/* fall through */
	case FUTEX_WAKE_BITSET:
	case FUTEX_REQUEUE:
		woken = patch_gev->lot_wake(word, INT_MAX, 0);
		break;
	case FUTEX_WAKE_OP: {
		/* The kernel changes the second word; whether its condition held for the waiters there, only it
		 * knows. */
		long r = real.syscall(SYS_futex, (long)word, op, value, time, (long)other, extra);
		if (r >= 0)
			r += patch_gev->lot_wake(word, most, 0) + patch_gev->lot_wake(other, INT_MAX, 0);
		return r;
	}
	default:
		break; /* priority inheritance: the kernel's business, and it blocks */
	}
	long r = real.syscall(SYS_futex, (long)word, op, value, time, (long)other, extra);
	return r < 0 ? r : r + woken;
}

long patch_syscall(long number, long a, long b, long c, long d, long e, long f)
{
	if (likely(number != SYS_futex) || !patch_started)
		return real.syscall(number, a, b, c, d, e, f);
	return futex((uint32_t *)a, (int)b, (uint32_t)c, d, (uint32_t *)e, (uint32_t)f);
}
EXPORT(syscall);
