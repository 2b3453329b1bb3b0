/* Stack overflow: the fault, and who it was. */
#include "lib/core/overflow.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "lib/base/sys.h"
#include "lib/context/registers.h"
#include "lib/core/hub.h"

#ifndef AT_MINSIGSTKSZ
#define AT_MINSIGSTKSZ 51
#endif

/* Beside what the kernel pushes (sigaltstack(2), AT_MINSIGSTKSZ: it grows with the processor's registers): a line of text being formatted. */
enum { ROOM = 16 * 1024 };

static bool left_to_others;

void gev__overflow_leave_to_others(void)
{
	left_to_others = true;
}

/* A push, a call or a leaf's red zone touches up to 128 bytes below the stack pointer (System V ABI, 3.2.2); a probed frame lies above it. A stray pointer
 * that happens to hit the guard leaves the stack pointer where it was, high above. */
static bool is_overflow(const struct gev__stack *stack, uintptr_t fault, uintptr_t sp)
{
	enum { BELOW_SP = 256 };
	uintptr_t lo = (uintptr_t)stack->lo;
	return stack->class && fault < lo && fault >= lo - stack->class->guard && sp <= fault + BELOW_SP;
}

bool gev__overflow_tell(const void *siginfo, const void *context)
{
	const struct gev_greenlet *g = gev__current;
	const siginfo_t *info = siginfo;
	if (g == NULL || info->si_code <= 0)
		return false;
	const struct gev__stack *stack = g == &g->hub->self ? &g->hub->self_stack : &g->stack;
	if (!is_overflow(stack, (uintptr_t)info->si_addr, gev__sp_of(context)))
		return false;
	size_t size = (size_t)(stack->hi - stack->lo) + stack->class->guard;
	if (g == &g->hub->self)
		gev__warn("stack overflow in the hub, in its stack of %zu bytes", size);
	else if (g->name[0])
		gev__warn("stack overflow in greenlet \"%s\", in its stack of %zu bytes", g->name, size);
	else
		gev__warn("stack overflow in greenlet %p (it has no name), in its stack of %zu bytes", (const void *)g,
			  size);
	return true;
}

static void on_fault(int number, siginfo_t *info, void *context)
{
	int saved = errno;
	gev__overflow_tell(info, context);
	/* Back to the default, and once more: a faulting instruction is run again when the handler returns, and a signal that somebody sent (si_code <= 0,
	 * sigaction(2)) is sent again; it waits until we have returned. Registers and siginfo in a core are then those of the first time. */
	struct sigaction standard = {.sa_handler = SIG_DFL};
	gev__sys.sigaction(number, &standard, NULL);
	if (info->si_code <= 0)
		gev__sys.syscall(SYS_rt_tgsigqueueinfo, getpid(), gev__sys.syscall(SYS_gettid, 0, 0, 0, 0, 0, 0),
				 number, (long)info, 0, 0);
	errno = saved;
}

static size_t alternate_size(void)
{
	unsigned long least = getauxval(AT_MINSIGSTKSZ);
	return (least ? least : 5120) +
	       ROOM; /* an older kernel does not say; 5120 is the highest MINSIGSTKSZ that was a constant */
}

static bool is_ours(const struct sigaction *action)
{
	return (action->sa_flags & SA_SIGINFO) && action->sa_sigaction == on_fault;
}

void gev__overflow_watch(struct gev__hub *h)
{
	if (left_to_others)
		return;
	struct sigaction present;
	if (gev__sys.sigaction(SIGSEGV, NULL, &present))
		return;
	if (!is_ours(&present) && ((present.sa_flags & SA_SIGINFO) || present.sa_handler != SIG_DFL))
		return;
	stack_t alternate;
	if (gev__sys.sigaltstack(NULL, &alternate))
		return;
	if (alternate.ss_flags & SS_DISABLE) {
		alternate = (stack_t){.ss_size = alternate_size()};
		alternate.ss_sp = malloc(alternate.ss_size);
		if (alternate.ss_sp == NULL || gev__sys.sigaltstack(&alternate, NULL)) {
			free(alternate.ss_sp);
			return;
		}
		h->fault_stack = alternate.ss_sp;
	}
	struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK};
	sigemptyset(&action.sa_mask);
	if (!is_ours(&present))
		gev__sys.sigaction(SIGSEGV, &action, NULL);
}

void gev__overflow_unwatch(struct gev__hub *h)
{
	if (h->fault_stack == NULL)
		return;
	stack_t alternate;
	if (gev__sys.sigaltstack(NULL, &alternate) == 0 && alternate.ss_sp == h->fault_stack) {
		alternate = (stack_t){.ss_flags = SS_DISABLE};
		gev__sys.sigaltstack(&alternate, NULL);
	}
	free(h->fault_stack);
	h->fault_stack = NULL;
}
