/* extra.h: what few greenlets have, made when the first of it is wanted: defers, links, timeouts, locals. So the control block stays small. */
#ifndef GEV_CORE_EXTRA_H
#define GEV_CORE_EXTRA_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/core/hub.h"

struct gev_timeout;
struct gev__defer;
struct gev__link;
struct gev__local;

struct gev__extra {
	struct gev__defer *defers; /* the last first */
	struct gev__link *links;
	struct gev__link **links_last;
	struct gev__call links_call;   /* queued at the hub while links are due */
	struct gev_greenlet *links_of; /* whose, from then until they have run */
	struct gev_timeout *timeouts;  /* the innermost first; they lie on the greenlet's own stack */
	struct gev_timeout *due;       /* the one that ends a wait first, of those that are not shielded */
	bool by_timeout;               /* the last wait's deadline was that of `due` */
	struct gev__local *locals;
	size_t locals_n;
};

/* g's; NULL: no memory. On its hub. */
struct gev__extra *gev__extra(struct gev_greenlet *g);
/* g has ended: it goes, unless links are still to run. */
void gev__extra_done(struct gev_greenlet *g);
/* It goes, with what nobody will run any more. */
void gev__extra_free(struct gev_greenlet *g);

/* What the running greenlet leaves behind when its function is over: what it timed is forgotten; its defers run, shielded, then the
 * destructors of its locals. */
void gev__last_words(struct gev_greenlet *g);
/* g is DONE: its links are due. */
void gev__links_due(struct gev_greenlet *g);
/* The hub will not come to them any more. */
void gev__links_forget(struct gev_greenlet *g);
void gev__links_free(struct gev__extra *x);
/* The destructors of g's locals; what they set anew has its destructor too, for a few rounds. */
void gev__locals_end(struct gev_greenlet *g);
/* Around a fork: nobody makes or ends a variable at that moment. */
void gev__locals_lock(void);
void gev__locals_unlock(void);

#endif
