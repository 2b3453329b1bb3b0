/* Alternate stacks: each green thread has its own, the kernel has one for the hub's OS thread.
 *
 * The kernel's own is never the program's: there a signal's frame is only laid, and moved at once to the stack on which the handler shall
 * run. So two threads in handlers do not meet on one stack, and a handler may park. A stack overflow of a green thread finds it, too. */
#include "shim/signal/signals.h"

#include <sys/mman.h>

enum { HUB_STACK = 65536 };
static char *hub_stack; /* NULL: there is none */

void patch_stacks_begin(void)
{
	stack_t mains;
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
