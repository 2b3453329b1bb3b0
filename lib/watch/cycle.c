/* Rings of waiters.
 *
 * Whoever waits without a deadline for something that has an owner (a mutex, the end of a greenlet) has one arrow, to the owner. With one arrow each
 * a walk along them ends, or comes to where it has been in this very walk: that is a ring. */
#include "lib/watch/cycle.h"

#include <stdlib.h>

#include "lib/base/clock.h"
#include "lib/watch/waits.h"

/* The place of the owner; p->n: no arrow. */
static size_t arrow(const struct gev__picture *p, size_t i)
{
	const struct gev__seen *s = &p->seen[i];
	if (s->state != GEV__PARKED || s->deadline != NEVER || s->owner == 0)
		return p->n;
	const struct gev__seen *owner = gev__picture_find(p, s->owner);
	return owner ? (size_t)(owner - p->seen) : p->n;
}

static void report_ring(const struct gev__picture *p, size_t start,
			void (*each)(void *arg, const uint32_t *ids, size_t n), void *arg)
{
	size_t n = 0, first = start, at = start;
	do {
		n++;
		if (at < first)
			first = at; /* places are in the order of ids */
		at = arrow(p, at);
	} while (at != start);
	uint32_t *ids = malloc(n * sizeof *ids);
	if (ids == NULL)
		return;
	at = first;
	for (size_t i = 0; i < n; i++, at = arrow(p, at))
		ids[i] = p->seen[at].id;
	each(arg, ids, n);
	free(ids);
}

void gev__cycles_each(const struct gev__picture *p, void (*each)(void *arg, const uint32_t *ids, size_t n), void *arg)
{
	/* In which walk each was met; 0: not yet. */
	size_t *walk = calloc(p->n + 1, sizeof *walk);
	for (size_t i = 0; walk && i < p->n; i++) {
		size_t at = i;
		while (at != p->n && walk[at] == 0) {
			walk[at] = i + 1;
			at = arrow(p, at);
		}
		if (at != p->n && walk[at] == i + 1)
			report_ring(p, at, each, arg);
	}
	free(walk);
}

void gev__cycle_heading(struct gev__text *t, size_t n)
{
	if (n == 1)
		gev__text_add(t, "deadlock: a greenlet waits for itself\n");
	else
		gev__text_add(t, "deadlock: %zu greenlets wait for one another\n", n);
}

struct writing {
	struct gev__text *t;
	const struct gev__picture *p;
};

static void write_ring(void *arg, const uint32_t *ids, size_t n)
{
	const struct writing *w = arg;
	gev__cycle_heading(w->t, n);
	for (size_t i = 0; i < n; i++) {
		char name[64];
		const struct gev__seen *s = gev__picture_find(w->p, ids[i]);
		gev__display_name(s, name, sizeof name);
		gev__text_add(w->t, "  %u (%s) waits for ", s->id, name);
		gev__waits_text(w->t, w->p, s);
		gev__text_add(w->t, "\n");
	}
}

void gev__cycles_text(struct gev__text *t, const struct gev__picture *p)
{
	struct writing w = {t, p};
	gev__cycles_each(p, write_ring, &w);
}
