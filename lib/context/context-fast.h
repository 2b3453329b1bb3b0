/* context-fast.h: what the fast switches of all architectures share; for context-fast.c and context-fast-ARCH.c. */
#ifndef GEV_CONTEXT_FAST_H
#define GEV_CONTEXT_FAST_H

#include "lib/context/jump.h"

/* At the top of a stack that has not run. The order matters: the first instructions know it. */
struct gev__start {
	void (*entry)(void *);
	void *arg;
};

#if GEV__ANNOTATED
/* Where the first instructions lead when somebody is told of each switch: `left` and `self` are what the jump had. */
void gev__context_begin(struct gev__context *left, struct gev__context *self, struct gev__start *start)
	__attribute__((noreturn, used));
#endif

#endif
