/* hooks.h: what an observer hears of the scheduler.
 *
 * Nobody pays for an observer that is not there: its only place on the way from one greenlet to the next is the look at the clock,
 * which it makes come at every switch (hub.c, tick). Set once, before the first hub is made; never called while it is NULL.
 * A hook may neither park nor wake, and leaves errno as it is. */
#ifndef GEV_CORE_HOOKS_H
#define GEV_CORE_HOOKS_H

#include <stdint.h>

struct gev_greenlet;
struct gev__hub;

struct gev__hooks {
	void (*hub_made)(struct gev__hub *h);   /* by its OS thread, which is its main greenlet from now on */
	void (*hub_gone)(struct gev__hub *h);   /* everything of it is still there */
	void (*hub_forked)(struct gev__hub *h); /* in the child: only the running greenlet is left */
	void (*made)(struct gev_greenlet *g);
	void (*ended)(struct gev_greenlet *g); /* by itself, at its very end */
	/* NULL: the clock is not looked at more often than without an observer. */
	void (*left)(struct gev__hub *h, struct gev_greenlet *g,
		     int64_t now);                       /* g has run until now; its state says why it stops */
	void (*turned)(struct gev__hub *h, int64_t now); /* the hub has looked outside, and lets the ready ones run */
};

extern const struct gev__hooks *gev__hooks not_exported;

#endif
