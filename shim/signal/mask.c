/* Masks: each thread's, the kernel's, and what all threads block.
 *
 * The kernel's mask is that of whoever runs: sigsetjmp, siglongjmp, getcontext and swapcontext read and write it inside libc. It is
 * changed at a switch only when the two words differ, and while all masks are equal nobody even looks: the runtime's
 * arrivals are asked for when they become different, and given up when they are equal again.
 * While the hub looks outside, a signal may come that anybody lets through: so the kernel then has what all block. How many threads block
 * each signal is counted. */
#include <string.h>

#include "shim/libc/kernel.h"
#include "shim/signal/signals.h"

static sigbits kernel_mask; /* of the hub's OS thread */
static bool kernel_known;
static bool listening; /* arrivals are asked for */

static uint32_t threads;
static uint32_t blocked_by[SIG_MAX];
static bool recount = true;
static sigbits by_all, by_any;

static void set_kernel(sigbits mask)
{
	if (kernel_known && mask == kernel_mask)
		return;
	/* First the word, then the mask: a signal that comes in at once finds both the same. */
	kernel_mask = mask;
	kernel_known = true;
	kernel_call6(SYS_rt_sigprocmask, SIG_SETMASK, (long)&mask, 0, sizeof mask, 0, 0);
}

static void count_up(void)
{
	if (!recount)
		return;
	recount = false;
	by_all = by_any = 0;
	for (int i = 0; i < SIG_MAX; i++) {
		by_all |= (sigbits)(blocked_by[i] == threads) << i;
		by_any |= (sigbits)(blocked_by[i] != 0) << i;
	}
}

static void listen_if_different(void)
{
	count_up();
	if (listening || by_all == by_any)
		return;
	listening = true;
	patch_gev->arrivals(true);
}

static void add(sigbits which, int by)
{
	for (; which; which &= which - 1)
		blocked_by[__builtin_ctzll(which)] += (uint32_t)by;
	recount = true;
}

void patch_mask_count(sigbits mask, int by)
{
	threads += (uint32_t)by;
	if (unlikely(mask || by_any)) {
		add(mask, by);
		listen_if_different();
	}
}

static void record(sigbits mask)
{
	struct patch_signals *me = &patch_sig;
	sigbits old = me->mask;
	if (mask == old)
		return;
	me->mask = mask;
	add(old & ~mask, -1);
	add(mask & ~old, 1);
	listen_if_different();
}

void patch_mask_set(sigbits mask)
{
	patch_signals_touched++;
	record(mask & ~SIG_NEVER_BLOCKED);
	patch_signals_touched--;
	set_kernel(patch_sig.mask);
}

sigbits patch_mask_lend(sigbits mask)
{
	sigbits before = patch_sig.mask;
	patch_sig.lent = true;
	patch_mask_set(mask);
	return before;
}

void patch_mask_give_back(sigbits before)
{
	patch_mask_set(before);
	patch_sig.lent = false;
	/* The call has ended otherwise, and what came is for whoever lets it through. */
	if (unlikely(patch_sig.queue.has & patch_sig.mask)) {
		patch_signals_give_back(&patch_sig, false);
		patch_attend();
	}
}

void patch_mask_note(sigbits mask)
{
	record(mask & ~SIG_NEVER_BLOCKED);
	kernel_mask = patch_sig.mask;
	kernel_known = true;
}

void patch_mask_blocked_all(void)
{
	kernel_known = false;
}

void patch_mask_arrive(void)
{
	if (!patch_sig.known)
		return;
	set_kernel(patch_sig.mask);
	count_up();
	if (by_all == by_any) {
		listening = false;
		patch_gev->arrivals(false);
	}
}

void patch_mask_idle(void)
{
	count_up();
	set_kernel(by_all);
}

void patch_mask_look(void)
{
	if (!listening)
		return;
	patch_mask_idle();
	set_kernel(patch_sig.mask);
}

void patch_mask_forked(sigbits mask)
{
	threads = 0;
	memset(blocked_by, 0, sizeof blocked_by);
	by_any = ~UINT64_C(0);
	patch_mask_count(mask, 1);
	kernel_known = false;
}

sigset_t patch_mask_without_ticks(void)
{
	sigset_t set;
	sigbits mask = (patch_sig.known ? patch_sig.mask : kernel_mask) | sig_bit(SIG_CANCEL);
	memset(&set, 0, sizeof set);
	memcpy(&set, &mask, sizeof mask);
	return set;
}
