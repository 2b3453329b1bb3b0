/* What lies at fixed places on x86-64. The floating-point control words: MXCSR and the x87 control word are callee-saved (System V ABI, 3.2.1), so each
 * flow keeps its own. And the two guards in the thread control block (glibc sysdeps/x86_64/nptl/tls.h, tcbhead_t). */
#include <criterion/criterion.h>

#include <stdint.h>
#include <string.h>

#include "lib/context/context.h"
#include "lib/context/identity.h"
#include "lib/context/stack.h"
#include "lib/context/thread-pointer.h"

enum { ROUND_UP_SSE = 0x4000, FLUSH_TO_ZERO = 0x8000, STATUS = 0x3f, SINGLE_PRECISION = 0x0000, PRECISION = 0x0300 };

static uint32_t mxcsr(void)
{
	uint32_t word;
	__asm__ volatile("stmxcsr %0" : "=m"(word));
	return word & ~(uint32_t)STATUS;
}

static void set_mxcsr(uint32_t word)
{
	__asm__ volatile("ldmxcsr %0" ::"m"(word));
}

static uint16_t x87(void)
{
	uint16_t word;
	__asm__ volatile("fnstcw %0" : "=m"(word));
	return word;
}

static void set_x87(uint16_t word)
{
	__asm__ volatile("fldcw %0" ::"m"(word));
}

static struct gev__context here, there;
static uint32_t mxcsr_there;
static uint16_t x87_there;

static void look(void *arg)
{
	for (;;) {
		mxcsr_there = mxcsr();
		x87_there = x87();
		gev__context_switch(&there, &here);
	}
}

static void change_and_look(void *arg)
{
	set_mxcsr(mxcsr() | FLUSH_TO_ZERO);
	set_x87(x87() & (uint16_t)~PRECISION);
	gev__context_switch(&there, &here);
	look(arg);
}

static void make(void (*entry)(void *))
{
	static struct gev__stack_pool pool;
	struct gev__stack stack;
	gev__tp_init();
	gev__context_adopt(&here);
	cr_assert_eq(gev__stack_get(&pool, 65536, 0, &stack), 0);
	gev__context_make(&there, stack.lo, stack.hi, entry, NULL, here.tp);
}

/* One word at a time: a switch that looked at the other one only would pass with both. */

Test(control, a_change_of_mxcsr_stays_in_its_flow)
{
	uint32_t before = mxcsr();
	make(look);
	gev__context_switch(&here, &there);
	set_mxcsr(before | ROUND_UP_SSE);
	gev__context_switch(&here, &there);
	cr_expect_eq(mxcsr_there, before);
	cr_expect_eq(mxcsr(), before | ROUND_UP_SSE);
}

Test(control, a_change_of_the_x87_word_stays_in_its_flow)
{
	uint16_t before = x87();
	make(look);
	gev__context_switch(&here, &there);
	set_x87(before & (uint16_t)~PRECISION);
	gev__context_switch(&here, &there);
	cr_expect_eq(x87_there, before);
	cr_expect_eq(x87(), before & (uint16_t)~PRECISION);
}

Test(control, both_come_back_where_they_were_changed)
{
	uint32_t sse = mxcsr();
	uint16_t old = x87();
	make(change_and_look);
	gev__context_switch(&here, &there);
	cr_expect_eq(mxcsr(), sse);
	cr_expect_eq(x87(), old);
	gev__context_switch(&here, &there);
	cr_expect_eq(mxcsr_there, sse | FLUSH_TO_ZERO);
	cr_expect_eq(x87_there, old & (uint16_t)~PRECISION);
	cr_expect_eq(mxcsr(), sse);
	cr_expect_eq(x87(), old);
}

Test(control, a_new_flow_begins_with_its_makers)
{
	/* As a thread does (pthread_create(3): the floating-point environment is inherited; fenv(3)). */
	set_mxcsr(mxcsr() | ROUND_UP_SSE);
	make(look);
	set_mxcsr(mxcsr() & ~(uint32_t)ROUND_UP_SSE);
	gev__context_switch(&here, &there);
	cr_expect_eq(mxcsr_there & ROUND_UP_SSE, ROUND_UP_SSE);
	cr_expect_eq(mxcsr() & ROUND_UP_SSE, 0);
}

/* What is only status must not cost a load at each switch, nor be lost to whoever raised it within one flow. */
Test(control, exception_flags_are_not_control)
{
	make(look);
	gev__context_switch(&here, &there);
	uint32_t word;
	__asm__ volatile("stmxcsr %0" : "=m"(word));
	set_mxcsr(word | 1);
	gev__context_switch(&here, &there);
	cr_expect_eq(mxcsr_there, mxcsr());
}

/* ---- Guards: a frame that was entered as one thread may be left as another, and pointers that one has mangled (atexit, setjmp) serve the other ---- */

static uintptr_t word_of(const void *tp, size_t offset)
{
	uintptr_t word;
	memcpy(&word, (const char *)tp + offset, sizeof word);
	return word;
}

Test(control, an_identity_has_its_makers_guards)
{
	enum { STACK_GUARD = 0x28, POINTER_GUARD = 0x30 };
	static struct gev__identity_pool pool;
	void *tp;
	cr_assert_null(gev__identity_missing());
	const void *own = gev__tp_get();
	for (int i = 0; i < 100; i++) {
		cr_assert_eq(gev__identity_get(&pool, &tp), 0);
		cr_expect_eq(word_of(tp, STACK_GUARD), word_of(own, STACK_GUARD));
		cr_expect_eq(word_of(tp, POINTER_GUARD), word_of(own, POINTER_GUARD));
	}
	cr_expect_neq(word_of(own, STACK_GUARD), 0);
	cr_expect_neq(word_of(own, POINTER_GUARD), 0);
}
