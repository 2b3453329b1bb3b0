/* The first function of a green thread, and the frame at which pthread_exit's unwinding stops.
 *
 * libc's pthread_exit unwinds the stack, through C++ destructors and pthread_cleanup_push frames, to the outermost
 * registered cleanup frame (nptl/unwind.c; its own start_thread registers one in the same way). Here that frame is
 * ours, made with the calls that pthread_cleanup_push makes in C without exceptions. It stays registered while the
 * destructors run: if one of them calls pthread_exit, the rest run after it.
 *
 * This file must be compiled without -fexceptions: the unwinder would otherwise look for a landing pad here and not
 * for the frame. */
#include "shim/pthread/thread.h"

#ifdef __EXCEPTIONS
#error "entry.c needs -fno-exceptions"
#endif

static void *run(struct patch_thread *self)
{
	if (self->c11)
		return (void *)(intptr_t)((thrd_start_t)(void *)self->entry)(self->arg);
	return self->entry(self->arg);
}

void patch_thread_entry(void *arg)
{
	__pthread_unwind_buf_t frame;
	/* Keeps a frame pointer here: profilers that follow them leave the program's frames through this one. */
	__asm__ volatile("" : : "r"(__builtin_frame_address(0)));
	if (__sigsetjmp_cancel(frame.__cancel_jmp_buf, 0) == 0) {
		__pthread_register_cancel(&frame);
		patch_me.result = run(&patch_me);
	}
	patch_thread_end();
}
