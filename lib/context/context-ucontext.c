/* The portable switch: swapcontext, and three signal-mask system calls each time.
 *
 * The mask is the OS thread's and not the context's, as with the fast switch: swapcontext puts the mask in with which it was left (makecontext(3)),
 * and whoever had changed it meanwhile would not know.
 * glibc's swapcontext does not touch the thread pointer on x86-64 and aarch64 (sysdeps/unix/sysv/linux/.../swapcontext.S), so it is written just before. */
#include <signal.h>
#include <stdint.h>
#include <sys/syscall.h>

#include "lib/base/log.h"
#include "lib/base/macros.h"
#include "lib/base/sys.h"
#include "lib/context/context.h"
#include "lib/context/registers.h"
#include "lib/context/thread-pointer.h"

const char *gev__context_backend(void)
{
	return "ucontext";
}

/* What the kernel's own set holds (rt_sigprocmask(2)); libc's has room for more. */
enum { KERNEL_MASK = 8 };

struct start {
	void (*entry)(void *);
	void *arg;
	struct gev__context *self;
};

static void begin(unsigned high, unsigned low)
{
	const struct start *start = (struct start *)((uintptr_t)high << 32 | low);
	gev__nobody_called(); /* libc's own first instructions, to which it would return, have no unwind information that ends there */
	keep_frame_pointer();
	gev__note_after(&start->self->note, &start->self->left_by->note);
	start->entry(start->arg);
	gev__die("the entry of a context returned");
}

void gev__context_adopt(struct gev__context *c)
{
	c->tp = gev__tp_get();
	gev__note_adopt(&c->note);
}

void gev__context_make(struct gev__context *c, void *lo, void *hi, void (*entry)(void *), void *arg, void *tp)
{
	struct start *start = (struct start *)((uintptr_t)hi & ~(uintptr_t)15) - 1;
	*start = (struct start){.entry = entry, .arg = arg, .self = c};
	getcontext(&c->uc);
	c->uc.uc_link = NULL;
	c->uc.uc_stack.ss_sp = lo;
	c->uc.uc_stack.ss_size = (size_t)((char *)start - (char *)lo);
	gev__set_fp_of(&c->uc, 0); /* the chain of frame pointers begins here, and not with the maker's */
	/* makecontext passes int arguments only (POSIX): a pointer travels in two. */
	makecontext(&c->uc, (void (*)(void))begin, 2, (unsigned)((uintptr_t)start >> 32), (unsigned)(uintptr_t)start);
	c->tp = tp;
	gev__note_make(&c->note, lo, hi);
}

static void jump(struct gev__context *from, struct gev__context *to, bool ends)
{
	gev__note_before(&from->note, &to->note, ends);
	to->left_by = from;
	if (gev__sys.syscall(SYS_rt_sigprocmask, SIG_SETMASK, 0, (long)&to->uc.uc_sigmask, KERNEL_MASK, 0, 0))
		gev__die("reading the signal mask failed");
	if (to->tp != from->tp)
		gev__tp_set(to->tp);
	if (swapcontext(&from->uc, &to->uc))
		gev__die("swapcontext failed");
	gev__note_after(&from->note, &from->left_by->note);
}

void gev__context_switch(struct gev__context *from, struct gev__context *to)
{
	jump(from, to, false);
}

void gev__context_leave(struct gev__context *from, struct gev__context *to)
{
	jump(from, to, true);
	__builtin_unreachable();
}
