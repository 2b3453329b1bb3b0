/* What the hub's own flow does for others: a list of calls, first come first served. */
#include "lib/core/hub.h"

void gev__hub_call(struct gev__hub *h, struct gev__call *call)
{
	call->next = NULL;
	*h->calls_last = call;
	h->calls_last = &call->next;
	h->countdown = 0; /* the next switch looks */
}

void gev__calls_forget(struct gev__hub *h)
{
	h->calls = NULL;
	h->calls_last = &h->calls;
}

void gev__calls_make(struct gev__hub *h)
{
	/* Those that are there now: what they call for comes after the others' turn. */
	struct gev__call *call = h->calls;
	gev__calls_forget(h);
	while (call) {
		struct gev__call *next = call->next;
		call->fn(call);
		call = next;
	}
}
