/* The fast switch, as far as it is the same on all architectures: by registers alone (jump.h). Each has its first instructions, and the making of a
 * context, in context-fast-ARCH.c. */
#include "lib/context/context-fast.h"

#include "lib/base/macros.h"
#include "lib/context/thread-pointer.h"

const char *gev__context_backend(void)
{
	return "fast";
}

#if GEV__ANNOTATED
void gev__context_begin(struct gev__context *left, struct gev__context *self, struct gev__start *start)
{
	keep_frame_pointer();
	gev__note_after(&self->note, &left->note);
	start->entry(start->arg);
	__builtin_unreachable();
}
#endif

void gev__context_adopt(struct gev__context *c)
{
	c->tp = gev__tp_get();
	gev__note_adopt(&c->note);
}

__attribute__((noinline)) void gev__context_switch(struct gev__context *from, struct gev__context *to)
{
	gev__context_jump(from, to);
}

void gev__context_leave(struct gev__context *from, struct gev__context *to)
{
	gev__context_jump_off(from, to);
}
