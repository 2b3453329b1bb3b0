/* Unwinding ends at a context's entry: whoever walks a stack (a debugger, backtrace(3), a thrown exception, pthread_exit) stops there, on that stack. */
#include <criterion/criterion.h>

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <unwind.h>

#include "lib/context/context.h"
#include "lib/context/stack.h"
#include "lib/context/thread-pointer.h"

static struct gev__context here, there;
static struct gev__stack stack;

enum { MOST = 64 };

static struct walk {
	uintptr_t pc[MOST];
	uintptr_t cfa[MOST];
	int n;
	_Unwind_Reason_Code end;
} walk;

static _Unwind_Reason_Code step(struct _Unwind_Context *frame, void *arg)
{
	/* libgcc shows the end as a frame without an address before it stops. */
	if (_Unwind_GetIP(frame) == 0)
		return _URC_NO_REASON;
	if (walk.n == MOST)
		return _URC_NORMAL_STOP;
	walk.pc[walk.n] = _Unwind_GetIP(frame);
	walk.cfa[walk.n] = _Unwind_GetCFA(frame);
	walk.n++;
	return _URC_NO_REASON;
}

static void begin(void (*entry)(void *))
{
	static struct gev__stack_pool pool;
	gev__tp_init();
	gev__context_adopt(&here);
	cr_assert_eq(gev__stack_get(&pool, 1 << 18, 0, &stack), 0);
	/* What a former tenant left must not be taken for a frame: return addresses, just past the start of a function that has unwind tables. */
	for (uintptr_t *word = (uintptr_t *)(void *)(stack.hi - 4096); (char *)word < stack.hi; word++)
		*word = (uintptr_t)&begin + 2;
	gev__context_make(&there, stack.lo, stack.hi, entry, NULL, here.tp);
	gev__context_switch(&here, &there);
}

static __attribute__((noinline)) int deeper(int depth)
{
	if (depth == 0) {
		walk.end = _Unwind_Backtrace(step, NULL);
		return 0;
	}
	int below = deeper(depth - 1);
	__asm__ volatile("" : "+r"(below)); /* or the compiler makes a loop of it */
	return below + 1;
}

static void walk_and_return(void *arg)
{
	cr_expect_eq(deeper(10), 10);
	gev__context_switch(&there, &here);
}

Test(unwind, a_walk_ends_at_the_entry)
{
	begin(walk_and_return);
	cr_expect_eq(walk.end, _URC_END_OF_STACK, "%d", walk.end);
	/* deeper() eleven times, walk_and_return, and the context's own first frame; of the fast one a second, where sanitizers must be told. */
	int own = GEV__ANNOTATED && strcmp(gev__context_backend(), "fast") == 0 ? 2 : 1;
	cr_expect_eq(walk.n, 12 + own, "%d frames", walk.n);
	for (int i = 0; i < walk.n; i++)
		cr_expect(walk.cfa[i] > (uintptr_t)stack.lo && walk.cfa[i] <= (uintptr_t)stack.hi, "frame %d", i);
}

Test(unwind, a_walk_after_many_switches_ends_there_too)
{
	begin(walk_and_return);
	int first = walk.n;
	walk.n = 0;
	begin(walk_and_return);
	cr_expect_eq(walk.end, _URC_END_OF_STACK);
	cr_expect_eq(walk.n, first);
}

#if defined(__aarch64__) && __GNUC__ < 14
#define RESULT_IS_KEPT 0
#else
#define RESULT_IS_KEPT 1
#endif

static _Unwind_Reason_Code raised;
static bool returned;

static void throw_what_nobody_catches(void *arg)
{
	static struct _Unwind_Exception exception;
	raised = _Unwind_RaiseException(&exception);
	returned = true;
	gev__context_switch(&there, &here);
}

Test(unwind, an_exception_that_nobody_catches_comes_to_an_end)
{
	begin(throw_what_nobody_catches);
	cr_expect(returned);
	/* On aarch64 libgcc before 14 loses the result of a raise that comes back (GCC PR target/114843). */
	if (RESULT_IS_KEPT)
		cr_expect_eq(raised, _URC_END_OF_STACK, "%d", raised);
}

static int stops;
static _Unwind_Reason_Code end_of_forced;

static _Unwind_Reason_Code stop(int version, _Unwind_Action actions, _Unwind_Exception_Class class,
				struct _Unwind_Exception *exception, struct _Unwind_Context *frame, void *arg)
{
	stops++;
	if (actions & _UA_END_OF_STACK)
		gev__context_switch(&there, &here);
	return _URC_NO_REASON;
}

static void leave_by_force(void *arg)
{
	static struct _Unwind_Exception exception;
	end_of_forced = _Unwind_ForcedUnwind(&exception, stop, NULL);
	gev__context_switch(&there, &here);
}

/* pthread_exit and cancellation unwind like this (glibc: nptl/unwind.c). */
Test(unwind, a_forced_one_is_told_of_the_end)
{
	begin(leave_by_force);
	cr_expect(stops >= 2 && stops <= 5, "%d frames", stops);
	cr_expect_eq(end_of_forced, 0, "it ended in the stop function");
}
