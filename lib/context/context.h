/* context.h: where a greenlet stands when it does not run: a stack, and the few words it takes to go on there.
 *
 * Two backends behind this page, chosen by meson: "fast" (a handful of registers, no system call, one small file an architecture)
 * and "ucontext" (swapcontext, everywhere, three system calls a switch). Both start a context through makecontext.
 *
 * Invariant: a context is either running on exactly one OS thread, or its saved words are complete and nobody runs on its stack.
 *
 * Thread pointers (identities) are switched along when they differ: to->tp is what the processor's thread pointer will be. */
#ifndef GEV_CONTEXT_CONTEXT_H
#define GEV_CONTEXT_CONTEXT_H

#include <stddef.h>
#include <stdint.h>

#include "lib/context/annotate.h"

#ifdef GEV_CONTEXT_UCONTEXT
#include <ucontext.h>
#endif

struct gev__context {
#ifdef GEV_CONTEXT_UCONTEXT
	ucontext_t uc;
	struct gev__context *left_by; /* who switched here last: the annotations want to know on arrival */
#else
	void *sp;
	void *fp;
	void *pc;
	/* The floating-point control words, which the ABIs make callee-saved. */
#if defined(__aarch64__)
	uint32_t fpcr;
#else
	uint32_t mxcsr;
	uint16_t x87;
#endif
#endif
	void *tp;
	struct gev__annotation note;
};

/* "fast" or "ucontext". */
const char *gev__context_backend(void);

/* The running flow of control becomes `c`: nothing to prepare but its thread pointer and, for the sanitizers, its stack. */
void gev__context_adopt(struct gev__context *c);

/* Makes `c` start at entry(arg) on the stack [lo, hi), as thread pointer tp. entry never returns. */
void gev__context_make(struct gev__context *c, void *lo, void *hi, void (*entry)(void *), void *arg, void *tp);

/* Saves the running flow in `from` and goes on where `to` stands. Returns when somebody switches back to `from`. errno is not kept
 * where both share a thread pointer: the caller's business. */
void gev__context_switch(struct gev__context *from, struct gev__context *to);

/* What the first steps of `c` will touch: the frames between the switch and the code that waits, and its thread control block. One load from
 * each line; they do not depend on one another, so their misses overlap. Not beyond the page: a stack ends with one. Not for those who watch each
 * access: frames have holes, for alignment, that nobody else reads, and ASan's red zones. A hole may have become a part of the
 * stack without valgrind's noticing: it keeps one current stack for all threads, which another's switch changes (m_stacks.c, unknown_SP_update). */
static inline void gev__context_warm(const struct gev__context *c)
{
#if !defined(GEV_CONTEXT_UCONTEXT) && !defined(GEV_ASAN) && !defined(GEV_TSAN) && !defined(GEV_VALGRIND)
	enum { FRAMES = 8 * 64, PAGE = 4096 };
	uintptr_t at = (uintptr_t)c->sp, page_end = at | (PAGE - 1);
	uintptr_t end = at + FRAMES < page_end ? at + FRAMES : page_end;
	for (; at < end; at += 64)
		(void)*(const volatile char *)at;
	(void)*(const volatile char *)c->tp;
#endif
	(void)c;
}

/* The last switch of a context that ends: nothing is saved that anybody will need. */
void gev__context_leave(struct gev__context *from, struct gev__context *to) __attribute__((noreturn));

#endif
