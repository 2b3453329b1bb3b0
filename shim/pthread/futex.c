/* syscall(SYS_futex, ...): how runtimes that bring their own locks wait (libstdc++'s guards, futures and std::atomic;
 * Rust's std).
 *
 * A green thread waits in the lot, one with bits of its own beside it (futex_bits.c), an OS thread in the kernel. Whoever
 * wakes does not know which it was, so he looks in that order and wakes in the kernel what is left of his number.
 *
 * A futex that is not marked private may lie in memory that another process shares, and that one wakes through the kernel.
 * Many programs just leave the mark out; so a wait that lasts asks whether the memory is shared, and only then a real
 * thread waits for it (aside.h).
 */
#include "shim/pthread/futex.h"

#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>

#include "shim/pthread/aside.h"
#include "shim/pthread/futex_bits.h"
#include "shim/pthread/futex_pi.h"
#include "shim/pthread/shared_memory.h"
#include "shim/pthread/until.h"
#include "shim/signal/signals.h"

/* ---- Wait ---- */

struct watch {
	uint32_t *word;
	uint32_t expected;
	uint32_t bits;
};

static bool as_expected(void *arg)
{
	struct watch *w = arg;
	return __atomic_load_n(w->word, __ATOMIC_SEQ_CST) == w->expected;
}

/* These three: 0, -EAGAIN, -ETIMEDOUT or -EINTR. */
static int wait_private(struct watch *w, int64_t deadline)
{
	if (unlikely(w->bits != FUTEX_BITSET_MATCH_ANY))
		return patch_bits_wait(w->word, w->expected, w->bits, deadline, GEV_PARK_INTERRUPTIBLE | GEV_ON_FUTEX);
	return patch_gev->lot_wait(w->word, as_expected, NULL, w, deadline, GEV_PARK_INTERRUPTIBLE | GEV_ON_FUTEX,
				   NULL);
}

/* Without a thread of its own: it looks at the word now and then. */
static int wait_looking(struct watch *w, int64_t deadline)
{
	enum { LOOK = 16000000 };
	for (;;) {
		int64_t now = patch_now();
		int r = wait_private(w, deadline - now < LOOK ? deadline : now + LOOK);
		if (r == -EAGAIN)
			return 0;
		if (r == 0 || r == -EINTR || patch_now() >= deadline)
			return r;
	}
}

static int wait_shared(struct watch *w, int64_t deadline)
{
	enum { SHORT = 1000000 };
	int64_t now = patch_now();
	int r = wait_private(w, deadline - now < SHORT ? deadline : now + SHORT);
	if (r != -ETIMEDOUT || patch_now() >= deadline)
		return r;
	if (!patch_memory_shared(w->word)) {
		r = wait_private(w, deadline);
	} else {
		r = patch_aside_futex(w->word, w->expected, w->bits, deadline, GEV_PARK_INTERRUPTIBLE);
		if (r == -EAGAIN)
			r = wait_looking(w, deadline);
	}
	return r == -EAGAIN ? 0 : r; /* it has waited already */
}

/* FUTEX_WAIT has a time to wait, FUTEX_WAIT_BITSET a time to wait until, on the clock that its flag says. */
static int wait(struct watch *w, int op, const struct timespec *time)
{
	bool relative = (op & FUTEX_CMD_MASK) == FUTEX_WAIT;
	clockid_t clock = op & FUTEX_CLOCK_REALTIME ? CLOCK_REALTIME : CLOCK_MONOTONIC;
	if (time && (!patch_time_ok(time) || time->tv_sec < 0))
		return -EINVAL;
	int64_t deadline = GEV_NEVER;
	if (time && relative) {
		int64_t now = patch_now(), span = patch_until(CLOCK_MONOTONIC, time);
		deadline = span >= GEV_NEVER - now ? GEV_NEVER : now + span;
	}
	for (;;) {
		if (!relative)
			deadline = patch_until(clock, time);
		int r = op & FUTEX_PRIVATE_FLAG ? wait_private(w, deadline) : wait_shared(w, deadline);
		/* Restarted only without a time limit (kernel/futex/waitwake.c, futex_wait). */
		if (r == -EINTR && patch_interrupted(time == NULL) == 0)
			continue;
		if (r != -ETIMEDOUT || relative || patch_reached(clock, time))
			return r;
	}
}

/* ---- Wake ---- */

static int convert(int r)
{
	if (r >= 0)
		return r;
	errno = -r;
	return -1;
}

static int at_most(uint32_t n)
{
	/* The kernel wakes one where it was asked for none (futex(2), BUGS in older versions), and takes the rest as int. */
	return n == 0 ? 1 : n > INT_MAX ? INT_MAX : (int)n;
}

/* How many, or -1 and errno: what the kernel thinks of the word comes first. */
static long wake(uint32_t *word, int op, uint32_t n, uint32_t bits)
{
	int most = at_most(n);
	int woken = patch_gev->lot_wake(word, most, 0);
	if (woken < most)
		woken += patch_bits_wake(word, most - woken, bits);
	if (woken == most)
		return woken;
	long r = real.syscall(SYS_futex, (long)word, FUTEX_WAKE_BITSET | (op & FUTEX_PRIVATE_FLAG), most - woken, 0, 0,
			      bits);
	return r < 0 && woken == 0 ? r : woken + (r < 0 ? 0 : r);
}

/* ---- Requeue ---- */

static long requeue(uint32_t *word, int op, uint32_t n_wake, uint32_t n_move, uint32_t *other, uint32_t expected)
{
	struct watch w = {.word = word, .expected = expected};
	bool compares = (op & FUTEX_CMD_MASK) == FUTEX_CMP_REQUEUE;
	if (n_wake > INT_MAX || n_move > INT_MAX || ((uintptr_t)word & 3) || ((uintptr_t)other & 3))
		return convert(-EINVAL);
	int done = patch_gev->lot_requeue(word, other, (int)n_wake, (int)n_move, compares ? as_expected : NULL, &w, 0);
	if (done < 0)
		return convert(done);
	done += patch_bits_wake(word, INT_MAX, FUTEX_BITSET_MATCH_ANY); /* for nothing: that is allowed */
	uint32_t woken = (uint32_t)done < n_wake ? (uint32_t)done : n_wake;
	uint32_t moved = (uint32_t)done - woken;
	long r = real.syscall(SYS_futex, (long)word, op, n_wake - woken, n_move > moved ? n_move - moved : 0,
			      (long)other, expected);
	return r < 0 && done == 0 ? r : done + (r < 0 ? 0 : r);
}

/* ---- Wake and change ---- */

/* FUTEX_WAKE_OP's third number: what to do to the second word, and what to ask of its old value (futex(2)). */
struct operation {
	unsigned what, comparison;
	int with, against;
};

static int signed_12_bits(uint32_t bits)
{
	return (int)(bits << 20) >> 20;
}

static struct operation decode(uint32_t code)
{
	struct operation o = {.what = code >> 28 & 7,
			      .comparison = code >> 24 & 15,
			      .with = signed_12_bits(code >> 12 & 0xfff),
			      .against = signed_12_bits(code & 0xfff)};
	if (code >> 28 & FUTEX_OP_OPARG_SHIFT)
		o.with = (int)(1U << (o.with & 31));
	return o;
}

static int change(int *word, const struct operation *o)
{
	switch (o->what) {
	case FUTEX_OP_SET:
		return __atomic_exchange_n(word, o->with, __ATOMIC_SEQ_CST);
	case FUTEX_OP_ADD:
		return __atomic_fetch_add(word, o->with, __ATOMIC_SEQ_CST);
	case FUTEX_OP_OR:
		return __atomic_fetch_or(word, o->with, __ATOMIC_SEQ_CST);
	case FUTEX_OP_ANDN:
		return __atomic_fetch_and(word, ~o->with, __ATOMIC_SEQ_CST);
	default:
		return __atomic_fetch_xor(word, o->with, __ATOMIC_SEQ_CST);
	}
}

static bool holds(int old, const struct operation *o)
{
	switch (o->comparison) {
	case FUTEX_OP_CMP_EQ:
		return old == o->against;
	case FUTEX_OP_CMP_NE:
		return old != o->against;
	case FUTEX_OP_CMP_LT:
		return old < o->against;
	case FUTEX_OP_CMP_GE:
		return old >= o->against;
	case FUTEX_OP_CMP_LE:
		return old <= o->against;
	default:
		return old > o->against;
	}
}

static long wake_op(uint32_t *word, int op, uint32_t n, uint32_t n_other, uint32_t *other, uint32_t code)
{
	struct operation o = decode(code);
	if (o.what > FUTEX_OP_XOR || o.comparison > FUTEX_OP_CMP_GE || ((uintptr_t)word & 3) || ((uintptr_t)other & 3))
		return real.syscall(SYS_futex, (long)word, op, n, n_other, (long)other, code); /* it refuses */
	int old = change((int *)(void *)other, &o);
	long r = wake(word, op, n, FUTEX_BITSET_MATCH_ANY);
	if (r < 0 || !holds(old, &o))
		return r;
	long s = wake(other, op, n_other, FUTEX_BITSET_MATCH_ANY);
	return s < 0 ? r : r + s;
}

/* Several words at once. Whoever wakes one of them wakes in the kernel what he does not find in the lot: so a real thread waits. */
long patch_futex_waitv(const long arguments[6])
{
	long result = -EAGAIN;
	int r = -EAGAIN;
	if (patch_green())
		while ((r = patch_aside_syscall(SYS_futex_waitv, arguments, GEV_PARK_INTERRUPTIBLE, &result)) == -EINTR)
			if (patch_interrupted(true) < 0)
				return convert(-EINTR);
	if (r == 0)
		return convert((int)result);
	return real.syscall(SYS_futex_waitv, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4],
			    arguments[5]);
}

enum { KERNELS = INT_MIN };

/* Priority inheritance. Times are absolute. KERNELS: not such a call, or one that the kernel refuses. */
static int inheriting(uint32_t *word, int op, uint32_t value, long time, uint32_t *other, uint32_t extra)
{
	bool private = op & FUTEX_PRIVATE_FLAG;
	int command = op & FUTEX_CMD_MASK;
	clockid_t clock = (op & FUTEX_CLOCK_REALTIME) || command == FUTEX_LOCK_PI ? CLOCK_REALTIME : CLOCK_MONOTONIC;
	bool two = command == FUTEX_WAIT_REQUEUE_PI || command == FUTEX_CMP_REQUEUE_PI;
	bool timed = command == FUTEX_LOCK_PI2 || command == FUTEX_WAIT_REQUEUE_PI;
	if (((uintptr_t)word & 3) || (two && ((uintptr_t)other & 3)) || ((op & FUTEX_CLOCK_REALTIME) && !timed))
		return KERNELS;
	switch (command) {
	case FUTEX_LOCK_PI:
	case FUTEX_LOCK_PI2:
		return patch_pi_lock(word, private, clock, (const struct timespec *)time);
	case FUTEX_TRYLOCK_PI:
		return patch_pi_try(word);
	case FUTEX_UNLOCK_PI:
		return patch_pi_unlock(word, private);
	case FUTEX_WAIT_REQUEUE_PI:
		return patch_pi_wait(word, value, private, other, clock, (const struct timespec *)time);
	case FUTEX_CMP_REQUEUE_PI:
		return patch_pi_requeue(word, extra, other, value, (uint32_t)time);
	default:
		return KERNELS;
	}
}

long patch_futex(uint32_t *word, int op, uint32_t value, long time, uint32_t *other, uint32_t extra)
{
	struct watch w = {.word = word, .expected = value, .bits = FUTEX_BITSET_MATCH_ANY};
	int command = op & FUTEX_CMD_MASK;
	switch (command) {
	case FUTEX_WAIT_BITSET:
		w.bits = extra;
		/* fall through */
	case FUTEX_WAIT:
		/* The kernel refuses a word that is not aligned, and a wait that no bit can end (futex(2)). */
		if (patch_self() == NULL || ((uintptr_t)word & 3) || w.bits == 0)
			break;
		return convert(wait(&w, op, (const struct timespec *)time));
	case FUTEX_WAKE_BITSET:
		if (extra == 0)
			break;
		return wake(word, op, value, extra);
	case FUTEX_WAKE:
		return wake(word, op, value, FUTEX_BITSET_MATCH_ANY);
	case FUTEX_REQUEUE:
	case FUTEX_CMP_REQUEUE:
		return requeue(word, op, value, (uint32_t)time, other, extra);
	case FUTEX_WAKE_OP:
		return wake_op(word, op, value, (uint32_t)time, other, extra);
	default:;
		int r = inheriting(word, op, value, time, other, extra);
		if (r != KERNELS)
			return convert(r);
		break;
	}
	return real.syscall(SYS_futex, (long)word, op, value, time, (long)other, extra);
}
