/* The table for debuggers, and the list of hubs that it begins with. */
#include "lib/core/debug.h"

#include "lib/base/lock.h"
#include "lib/context/offsets.h"
#include "lib/core/hub.h"

static struct gev__hub *hubs;
static struct gev__lock lock;

#define CONTEXT(offset) (uint32_t)(offsetof(struct gev_greenlet, context) + (offset))

const struct gev_debug gev_debug_v1 = {
	.size = sizeof gev_debug_v1,
	.greenlet_size = sizeof(struct gev_greenlet),
	.hubs = &hubs,
	.states = "new ready running parked done",
	.hub =
		{
			.next = offsetof(struct gev__hub, next),
			.self = offsetof(struct gev__hub, self),
			.main = offsetof(struct gev__hub, main),
			.all = offsetof(struct gev__hub, all),
		},
	.greenlet =
		{
			.next = offsetof(struct gev_greenlet, all_next),
			.state = offsetof(struct gev_greenlet, state),
			.own_identity = offsetof(struct gev_greenlet, own_identity),
			.name = offsetof(struct gev_greenlet, name),
			.name_size = sizeof((struct gev_greenlet *)0)->name,
			.entry = offsetof(struct gev_greenlet, entry),
			.stack_low = offsetof(struct gev_greenlet, stack.lo),
			.stack_high = offsetof(struct gev_greenlet, stack.hi),
			.sp = CONTEXT(GEV__OFFSET_SP),
			.fp = CONTEXT(GEV__OFFSET_FP),
			.pc = CONTEXT(GEV__OFFSET_PC),
			.tp = CONTEXT(offsetof(struct gev__context, tp)),
		},
};

_Static_assert(GEV__NEW == 0 && GEV__READY == 1 && GEV__RUNNING == 2 && GEV__PARKED == 3 && GEV__DONE == 4,
	       "the names of the states are in the order of their numbers");

void gev__hubs_add(struct gev__hub *h)
{
	gev__lock(&lock);
	h->next = hubs;
	hubs = h;
	gev__unlock(&lock);
}

void gev__hubs_remove(struct gev__hub *h)
{
	gev__lock(&lock);
	struct gev__hub **at = &hubs;
	while (*at != h)
		at = &(*at)->next;
	*at = h->next;
	gev__unlock(&lock);
}

void gev__hubs_forked(struct gev__hub *h)
{
	/* Whoever held it at the fork is not here. */
	lock = (struct gev__lock){0};
	if (h)
		h->next = NULL;
	hubs = h;
}
