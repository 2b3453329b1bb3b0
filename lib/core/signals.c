/* The runtime's side of signals and time slices. */
#include "lib/core/signals.h"

#include <errno.h>

#include "lib/base/log.h"
#include "lib/base/macros.h"
#include "lib/core/exceptions.h"
#include "lib/core/hooks.h"
#include "lib/core/hub.h"

const struct gev_signal_hooks *gev__signal_hooks;
static struct gev__hub *attended; /* atomic */

void gev__signals_hook(const struct gev_signal_hooks *hooks)
{
	gev__signal_hooks = hooks;
	__atomic_store_n(&attended, gev__hub_here(), __ATOMIC_RELEASE);
}

void gev__signals_arrivals(bool wanted)
{
	if (wanted)
		attended->on_arrival |= GEV__ARRIVE_SIGNALS;
	else
		attended->on_arrival &= (uint8_t)~GEV__ARRIVE_SIGNALS;
}

void gev__attend(void)
{
	struct gev__hub *h = __atomic_load_n(&attended, __ATOMIC_ACQUIRE);
	if (h == NULL)
		return;
	int saved = errno;
	gev__hub_tell(h);
	errno = saved;
}

void gev__signals_told(const struct gev__hub *h)
{
	if (h == __atomic_load_n(&attended, __ATOMIC_ACQUIRE))
		gev__signal_hooks->attend();
}

bool gev__busy(void)
{
	const struct gev_greenlet *g = gev__current;
	return g && (g == &g->hub->self || g->hub->busy);
}

void gev__preempt(void)
{
	struct gev_greenlet *g = gev__current;
	struct gev__hub *h = g->hub;
	gev__must(g != &h->self && h->busy == 0);
	int saved = errno;
	h->busy++;
	gev__set_state(g, GEV__READY);
	g->why = 0;
	h->preempted = g;
	if (unlikely(gev__hooks && gev__hooks->left))
		gev__hooks->left(h, g, gev__now());
	struct gev__exceptions *here = g->own_identity ? NULL : h->cxx, own = {0};
	if (here)
		own = gev__exceptions_take(here);
	gev__context_switch(&g->context, &h->self.context);
	if (here)
		*here = own;
	gev__hub_arrive(h, g);
	h->busy--;
	errno = saved;
}

void gev__pin(int by)
{
	struct gev__hub *h = gev__hub_here();
	if (h == NULL)
		return;
	h->pins += by;
	h->alone = h->pins > 0 ? SIZE_MAX : 1;
}
