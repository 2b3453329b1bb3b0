/* end.h: the ways in which a greenlet's function is over: it returns, or gev_exit unwinds it. */
#ifndef GEV_CORE_END_H
#define GEV_CORE_END_H

#include <unwind.h>

struct gev_greenlet;

/* In the first frame of a greenlet, which no unwinding leaves: what the unwinder needs while the frames that called it are gone. gev_greenlet.arg once it runs. */
struct gev__room {
	struct _Unwind_Exception exception;
	void *value;
	int error;
	int ended; /* its function is over */
};

/* Runs the greenlet's function, and what it leaves behind; its value, or its error. With an identity of its own it does not come back. */
void *gev__greenlet_live(struct gev_greenlet *g);

#endif
