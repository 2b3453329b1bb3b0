/* Long jumps: out of a handler, and with a mask.
 *
 * libc does the jump, and sets the kernel's mask where the buffer has one. What must follow here: the thread's own record of its mask, and the
 * frames of handlers that are left, of which some had pinned the runtime. */
#include "shim/signal/signals.h"
#include "shim/stdio/stream.h"

static void leave_frames(uintptr_t goal)
{
	struct patch_signals *me = &patch_sig;
	/* Stacks grow down: what lies below the goal is left. A handler on another stack than its thread's is left by any jump to that one. */
	while (me->frames && (uintptr_t)me->frames < goal) {
		patch_gev->pin(-1);
		me->frames = me->frames->outer;
		patch_ticks_resume();
	}
}

static void before(const struct __jmp_buf_tag *env)
{
	if (!patch_signals_ours())
		return;
	if (unlikely(patch_sig.frames))
		leave_frames(patch_jump_goal(env));
	if (unlikely(stream_calls))
		streams_jumped(patch_jump_goal(env));
	if (env->__mask_was_saved) {
		sigbits mask = sig_bits((const sigset_t *)(const void *)&env->__saved_mask);
		/* The kernel's first, so that libc's own change finds it done. */
		patch_mask_set(mask);
		if (patch_deliverable(&patch_sig))
			patch_deliver();
	}
}

void patch_longjmp(struct __jmp_buf_tag env[1], int value)
{
	before(env);
	real.longjmp(env, value);
}
EXPORT(longjmp);
EXPORT_AS(_longjmp, longjmp);
EXPORT_AS(siglongjmp, longjmp);

void patch___longjmp_chk(struct __jmp_buf_tag env[1], int value)
{
	before(env);
	real.__longjmp_chk(env, value);
}
EXPORT(__longjmp_chk);
