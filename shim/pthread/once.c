/* pthread_once and call_once.
 *
 *      0                      not yet
 *      2                      done (libc's value too)
 *      process << 2 | 1       somebody of that process is at it
 *
 * With the process in the word a forked child starts over what another thread of its parent had begun, as libc does
 * with a generation number (nptl/pthread_once.c). A routine that is left by pthread_exit, cancellation or a C++
 * exception leaves the word at 0, and the next caller tries again (std::call_once relies on it). Such an end unwinds
 * our frame without returning to it, and this file, being C without exceptions, has no landing pad: the frame's
 * personality routine, which the unwinder calls for each frame that it passes, does it.
 */
#include <limits.h>
#include <unwind.h>

#include "shim/pthread/thread.h"
#include "shim/pthread/until.h"

enum { NOT_YET = 0, BUSY_BIT = 1, DONE = 2, PROCESS_SHIFT = 2 };

/* What the caller is inside of, innermost first: in the thread's own storage, for the personality routine. */
struct frame {
	int *once;
	struct frame *outer;
};

static __thread struct frame *innermost;

static void leave(int next)
{
	int *once = innermost->once;
	innermost = innermost->outer;
	__atomic_store_n(once, next, __ATOMIC_RELEASE);
	if (patch_gev)
		patch_gev->lot_wake(once, INT_MAX, 0);
}

/* Itanium C++ ABI, 1.6.2: called for the frame of `run` in the search phase and in the cleanup phase. */
_Unwind_Reason_Code patch_once_unwound(int version, _Unwind_Action actions, _Unwind_Exception_Class class,
				       struct _Unwind_Exception *exception, struct _Unwind_Context *context)
	__attribute__((visibility("hidden"), used));

_Unwind_Reason_Code patch_once_unwound(int version, _Unwind_Action actions, _Unwind_Exception_Class class,
				       struct _Unwind_Exception *exception, struct _Unwind_Context *context)
{
	if (actions & _UA_CLEANUP_PHASE)
		leave(NOT_YET);
	return _URC_CONTINUE_UNWIND;
}

static __attribute__((noinline)) void run(void (*routine)(void))
{
	/* 0x1b: DW_EH_PE_pcrel | DW_EH_PE_sdata4 (DWARF, LSB exception frames). */
	__asm__ volatile(".cfi_personality 0x1b, patch_once_unwound");
	routine();
	__asm__ volatile("" ::: "memory"); /* a call, not a jump: the frame must be there */
}

struct watch {
	int *once;
	int seen;
};

static bool still_busy(void *arg)
{
	struct watch *w = arg;
	return __atomic_load_n(w->once, __ATOMIC_RELAXED) == w->seen;
}

static void wait(int *once, int seen)
{
	struct watch w = {.once = once, .seen = seen};
	if (patch_load() == 0) {
		patch_gev->lot_wait(once, still_busy, NULL, &w, GEV_NEVER, GEV_PARK_PLAIN | GEV_ON_ONCE, NULL);
		return;
	}
	for (int64_t step = 0; still_busy(&w);)
		patch_nap(&step, GEV_NEVER, GEV_PARK_PLAIN);
}

static int once_slow(int *once, void (*routine)(void))
{
	int mine = getpid() << PROCESS_SHIFT | BUSY_BIT;
	for (;;) {
		int seen = __atomic_load_n(once, __ATOMIC_ACQUIRE);
		if (seen == DONE)
			return 0;
		if (seen == mine)
			wait(once, seen);
		else if (__atomic_compare_exchange_n(once, &seen, mine, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
			break;
	}
	struct frame frame = {.once = once, .outer = innermost};
	innermost = &frame;
	run(routine);
	leave(DONE);
	return 0;
}

int patch_pthread_once(pthread_once_t *once, void (*routine)(void))
{
	return likely(__atomic_load_n(once, __ATOMIC_ACQUIRE) == DONE) ? 0 : once_slow(once, routine);
}
EXPORT(pthread_once);
EXPORT_AS(__pthread_once, pthread_once);

void patch_call_once(once_flag *once, void (*routine)(void))
{
	_Static_assert(sizeof *once == sizeof(pthread_once_t), "once_flag is libc's pthread_once_t");
	patch_pthread_once((pthread_once_t *)(void *)once, routine);
}
EXPORT(call_once);
