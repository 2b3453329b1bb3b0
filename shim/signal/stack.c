/* Alternate stacks: each green thread has its own, the kernel has one for the hub's OS thread.
 *
 * The kernel's own is never the program's: there a signal's frame is only laid, and moved at once to the stack on which the handler shall
 * run. So two threads in handlers do not meet on one stack, and a handler may park. A stack overflow of a green thread finds it, too. */
#include "shim/signal/signals.h"

#include <sys/mman.h>
#include <sys/resource.h>

#include "shim/pthread/thread.h"

enum { HUB_STACK = 65536 };
static char *hub_stack;    /* NULL: there is none */
static stack_t main_stack; /* about where the process's first thread has its own */

static void find_main_stack(void)
{
	enum { UNLIMITED = 1 << 30 };
	struct rlimit limit = {.rlim_cur = RLIM_INFINITY};
	getrlimit(RLIMIT_STACK, &limit);
	size_t size = limit.rlim_cur < UNLIMITED ? limit.rlim_cur : UNLIMITED;
	uintptr_t here = (uintptr_t)__builtin_frame_address(0);
	main_stack = (stack_t){.ss_sp = (void *)(here - size), .ss_size = 2 * size};
}

void patch_stacks_begin(void)
{
	stack_t mains;
	find_main_stack();
	if (real.sigaltstack(NULL, &mains) == 0 && !(mains.ss_flags & (SS_DISABLE | SS_ONSTACK)))
		patch_sig.stack = mains;
	void *stack = mmap(NULL, HUB_STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (stack == MAP_FAILED)
		return;
	stack_t ours = {.ss_sp = stack, .ss_size = HUB_STACK};
	if (real.sigaltstack(&ours, NULL) == 0)
		hub_stack = stack;
	else
		munmap(stack, HUB_STACK);
}

bool patch_stacks_virtual(void)
{
	return hub_stack != NULL;
}

static bool lies_on(const stack_t *s, uintptr_t at)
{
	return at - (uintptr_t)s->ss_sp < s->ss_size;
}

bool patch_stack_is_hubs(const void *at)
{
	return hub_stack && (uintptr_t)at - (uintptr_t)hub_stack < HUB_STACK;
}

uintptr_t patch_stack_top(const stack_t *s)
{
	return (uintptr_t)s->ss_sp + s->ss_size;
}

bool patch_stack_wanted(const struct sigaction *a, uintptr_t sp)
{
	const stack_t *s = &patch_sig.stack;
	return (a->sa_flags & SA_ONSTACK) && s->ss_size && !lies_on(s, sp);
}

/* Whether the caller was there on the stack with which it began. */
static bool lies_on_own(uintptr_t sp)
{
	struct gev_greenlet *g = patch_gev->self();
	if (g == NULL || patch_me.is_main)
		return lies_on(&main_stack, sp);
	struct gev_stack_info own;
	patch_gev->thread_stack(g, &own);
	return lies_on(&(stack_t){.ss_sp = own.base, .ss_size = own.size}, sp);
}

uintptr_t patch_stack_below(uintptr_t sp)
{
	enum { RED_ZONE = 128 }; /* what a function may use below its stack pointer (x86-64 psABI 3.2.2) */
	return sp - RED_ZONE;
}

uintptr_t patch_stack_aside(uintptr_t sp)
{
	const stack_t *s = &patch_sig.stack;
	return s->ss_size && !lies_on(s, sp) && !lies_on_own(sp) ? patch_stack_top(s) : patch_stack_below(sp);
}

/* kernel/signal.c, do_sigaltstack. */
static int change(const stack_t *wanted, stack_t *s, bool there)
{
	int mode = wanted->ss_flags & ~(int)(1U << 31); /* SS_AUTODISARM */
	if (there)
		return EPERM;
	if (mode != SS_DISABLE && mode != SS_ONSTACK && mode != 0)
		return EINVAL;
	if (mode == SS_DISABLE) {
		*s = (stack_t){.ss_flags = 0};
		return 0;
	}
	if (wanted->ss_size < (size_t)sysconf(_SC_MINSIGSTKSZ))
		return ENOMEM;
	*s = *wanted;
	return 0;
}

int patch_sigaltstack(const stack_t *wanted, stack_t *old)
{
	if (!patch_signals_ours() || hub_stack == NULL)
		return real.sigaltstack(wanted, old);
	struct patch_signals *me = &patch_sig;
	stack_t before = me->stack;
	bool there = before.ss_size && lies_on(&before, (uintptr_t)__builtin_frame_address(0));
	int r = wanted ? change(wanted, &me->stack, there) : 0;
	if (r) {
		errno = r;
		return -1;
	}
	if (old) {
		*old = before;
		old->ss_flags = before.ss_size == 0 ? SS_DISABLE : there ? SS_ONSTACK : before.ss_flags & ~SS_ONSTACK;
	}
	return 0;
}
EXPORT(sigaltstack);
