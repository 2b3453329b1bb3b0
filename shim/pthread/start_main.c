/* __libc_start_main, to put a frame of ours under main.
 *
 * libc counts its own threads: after pthread_exit in main it would see none left and end the process. Between main
 * and libc's own frame lies ours; the unwinding stops here, main's keys are destroyed, the green threads go on, and
 * only when none is left does the unwinding go on to libc (sysdeps/nptl/libc_start_call_main.h).
 *
 * What main returns with is libc's to end with, at once and from wherever main came back: libc's own frame asks nothing of the stack pointer or of any
 * register, and there are programs that come back with others (Free Pascal's rtl/linux/x86_64/si_c.inc).
 *
 * As entry.c, this file must be compiled without -fexceptions. */
#include <stdlib.h>

#include "shim/base/follow.h"
#include "shim/base/next.h"
#include "shim/pthread/thread.h"
#include "shim/watch/passed.h"
#include "shim/watch/trace.h"

#ifdef __EXCEPTIONS
#error "start_main.c needs -fno-exceptions"
#endif

static int (*program_main)(int argc, char **argv, char **environment);
static void (*libc_exit)(int status);

/* Called directly: its address must not wait in a register while main runs. */
static __attribute__((noinline, noreturn)) void end_with(int status)
{
	libc_exit(status);
	__builtin_unreachable();
}

static int run_main(int argc, char **argv, char **environment)
{
	__pthread_unwind_buf_t frame;
	if (__sigsetjmp_cancel(frame.__cancel_jmp_buf, 0) == 0) {
		__pthread_register_cancel(&frame);
		patch_main_framed = true;
		end_with(program_main(argc, argv, environment));
	}
	patch_main_end();
	__pthread_unwind_next(&frame);
}

int patch___libc_start_main(int (*main)(int, char **, char **), int argc, char **argv,
			    int (*init)(int, char **, char **), void (*fini)(void), void (*rtld_fini)(void),
			    void *stack_end)
{
	patch_follow();
	patch_trace();
	patch_passed();
	program_main = main;
	/* Not the program's, if it exports one: libc calls its own. */
	libc_exit = (void (*)(int))patch_in_libc("exit");
	if (libc_exit == NULL)
		libc_exit = exit;
	return real.__libc_start_main(run_main, argc, argv, init, fini, rtld_fini, stack_end);
}
EXPORT(__libc_start_main);
