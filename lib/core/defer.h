/* defer.h: what must happen at the end of a greenlet. */
#ifndef GEV_CORE_DEFER_H
#define GEV_CORE_DEFER_H

struct gev__extra;
struct gev_greenlet;

/* Runs them, the last registered first; those that they register run too. Each is off the list before it runs, so that gev_exit in one goes on with the next. */
void gev__defers_run(struct gev_greenlet *g);

/* Without running them. */
void gev__defers_free(struct gev__extra *x);

#endif
