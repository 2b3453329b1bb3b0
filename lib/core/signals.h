/* signals.h: where the runtime lets a shim bring signals to greenlets, and preempt them.
 *
 * The library itself handles no signal. A handler that interrupts it may only leave a note (gev__attend), which travels through the hub's
 * inbox: that is a list without a lock, looked at before every switch anyway. */
#ifndef GEV_CORE_SIGNALS_H
#define GEV_CORE_SIGNALS_H

#include <stdbool.h>

#include "gev/embed.h"

/* NULL until there are some; then also the hub whose OS thread they belong to is known. */
extern const struct gev_signal_hooks *gev__signal_hooks;

struct gev__hub;
/* The hub was told of something, perhaps of a signal. */
void gev__signals_told(const struct gev__hub *h);

/* As gev_embed says, in this order. */
void gev__signals_hook(const struct gev_signal_hooks *hooks);
void gev__signals_arrivals(bool wanted);
void gev__attend(void);
bool gev__busy(void);
void gev__preempt(void);
void gev__pin(int by);

#endif
