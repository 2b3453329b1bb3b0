/* switch.h: from one greenlet to the next, where it stands.
 *
 * Inline, because every function between the switch and the program's own code costs more than its instructions: the processor predicts each return from
 * the calls made last, and those were another greenlet's. */
#ifndef GEV_CORE_SWITCH_H
#define GEV_CORE_SWITCH_H

#include "lib/context/jump.h"
#include "lib/core/exceptions.h"
#include "lib/core/hub.h"

/* The countdown is over: reads the clock, runs the timers; whether it is time to poll. */
bool gev__tick(struct gev__hub *h);
/* An arrival at which there is something to do. */
void gev__arrive_slowly(struct gev__hub *h, struct gev_greenlet *self);

/* In the middle of C++ exceptions, which are taken along. */
void gev__switch_in_catch(struct gev__exceptions *here, struct gev_greenlet *from, struct gev_greenlet *to);
/* Touches what the first steps of the next few will. */
void gev__warm_next(const struct gev__hub *h);

/* errno, or another of our thread-local words, of who runs as g does. */
static inline void *gev__tls_of(const struct gev_greenlet *g, ptrdiff_t offset)
{
	return (char *)g->context.tp + offset;
}

static inline void gev__warm_ahead(struct gev__hub *h)
{
	enum { WORTH_IT = 2 * GEV__WARM };
	if (gev__ready_n(h) < WORTH_IT)
		return;
	if (h->warm == 0) {
		gev__warm_next(h);
		h->warm = GEV__WARM;
	}
	h->warm--;
}

static inline struct gev_greenlet *gev__pick(struct gev__hub *h)
{
	if (unlikely(__atomic_load_n(&h->inbox, __ATOMIC_RELAXED) != NULL))
		gev__hub_drain(h);
	if (unlikely(--h->countdown <= 0) && gev__tick(h))
		return &h->self;
	struct gev_greenlet *next = gev__ready_pop(h);
	if (unlikely(next == NULL))
		return &h->self;
	gev__warm_ahead(h);
	return next;
}

static inline __attribute__((always_inline)) void gev__arrive(struct gev__hub *h, struct gev_greenlet *self)
{
	struct gev__running *running = h->running;
	running->greenlet = self;
	__atomic_store_n(&running->tp, self->context.tp, __ATOMIC_RELAXED);
	if (!self->own_identity)
		*(struct gev_greenlet **)gev__tls_of(self, h->current_tls) = self;
	gev__set_state(self, GEV__RUNNING);
	if (unlikely(h->on_arrival))
		gev__arrive_slowly(h, self);
}

/* Leaves the running greenlet, whose state says why, for whoever is next. Returns when it runs again. */
static inline __attribute__((always_inline)) void gev__switch(struct gev__hub *h, struct gev_greenlet *from)
{
	h->busy++;
	struct gev_greenlet *next = gev__pick(h);
	if (unlikely(next == from)) {
		gev__set_state(from, GEV__RUNNING);
	} else {
		/* Greenlets that share a thread pointer share errno; one with its own need not touch it. */
		if (!from->own_identity)
			from->saved_errno = *(int *)gev__tls_of(from, h->libc_tls);
		if (unlikely(!from->own_identity && gev__exceptions_any(h->cxx)))
			gev__switch_in_catch(h->cxx, from, next);
		else
			gev__context_jump(&from->context, &next->context);
		/* No register but one survives the jump: what leads to all the rest. */
		h = from->hub;
		gev__arrive(h, from);
		if (!from->own_identity)
			*(int *)gev__tls_of(from, h->libc_tls) = from->saved_errno;
	}
	h->busy--;
}

/* The same for one that never comes back. */
static inline __attribute__((always_inline, noreturn)) void gev__leave(struct gev__hub *h, struct gev_greenlet *from)
{
	h->busy++;
	struct gev_greenlet *next = gev__pick(h);
	gev__context_jump_off(&from->context, &next->context);
}

#endif
