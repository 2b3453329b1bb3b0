/* Contexts: they go where they should, and floating-point control words go with them, but no signal mask. */
#include <criterion/criterion.h>

#include <fenv.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/context/context.h"
#include "lib/context/stack.h"
#include "lib/context/thread-pointer.h"

static struct gev__context here, there;
static char trace[16];
static int n;

static void there_main(void *arg)
{
	for (;;) {
		trace[n++] = *(const char *)arg;
		gev__context_switch(&there, &here);
	}
}

static void make(void (*entry)(void *), void *arg)
{
	static struct gev__stack_pool pool;
	struct gev__stack stack;
	gev__tp_init();
	gev__context_adopt(&here);
	cr_assert_eq(gev__stack_get(&pool, 65536, 0, &stack), 0);
	gev__context_make(&there, stack.lo, stack.hi, entry, arg, here.tp);
}

Test(context, two_flows_alternate)
{
	make(there_main, "t");
	for (int i = 0; i < 3; i++) {
		trace[n++] = 'h';
		gev__context_switch(&here, &there);
	}
	cr_expect_str_eq(trace, "hththt");
}

static int rounding_there;

static void rounding_main(void *arg)
{
	rounding_there = fegetround();
	fesetround(FE_UPWARD);
	for (;;) {
		gev__context_switch(&there, &here);
		rounding_there = fegetround();
	}
}

Test(context, rounding_mode_belongs_to_the_flow)
{
	make(rounding_main, NULL);
	gev__context_switch(&here, &there);
	cr_expect_eq(rounding_there, FE_TONEAREST);
	cr_expect_eq(fegetround(), FE_TONEAREST);
	fesetround(FE_DOWNWARD);
	gev__context_switch(&here, &there);
	cr_expect_eq(rounding_there, FE_UPWARD);
	cr_expect_eq(fegetround(), FE_DOWNWARD);
}

static bool usr1_blocked(void)
{
	sigset_t now;
	cr_assert_eq(pthread_sigmask(SIG_SETMASK, NULL, &now), 0);
	return sigismember(&now, SIGUSR1);
}

static void block_usr1(int how)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	cr_assert_eq(pthread_sigmask(how, &set, NULL), 0);
}

static bool blocked_there;

static void mask_main(void *arg)
{
	for (;;) {
		blocked_there = usr1_blocked();
		block_usr1(blocked_there ? SIG_UNBLOCK : SIG_BLOCK);
		gev__context_switch(&there, &here);
	}
}

Test(context, a_switch_leaves_the_signal_mask)
{
	make(mask_main, NULL);
	block_usr1(SIG_BLOCK);
	gev__context_switch(&here, &there);
	cr_expect(blocked_there);
	cr_expect_not(usr1_blocked());
	gev__context_switch(&here, &there);
	cr_expect_not(blocked_there);
	cr_expect(usr1_blocked());
}

static uintptr_t misaligned;

static void aligned_main(void *arg)
{
	/* The ABI aligns a 16-byte object on the stack; movaps faults if the stack is off by eight. */
	long double x[2] __attribute__((aligned(16)));
	misaligned = (uintptr_t)x % 16;
	__asm__ volatile("" ::"r"(x));
	gev__context_switch(&there, &here);
}

Test(context, the_first_frame_is_aligned)
{
	misaligned = 1;
	make(aligned_main, NULL);
	gev__context_switch(&here, &there);
	cr_expect_eq(misaligned, 0);
}
