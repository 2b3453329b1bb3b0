/* Joining: the public calls that wait for ends. */
#include "lib/core/join.h"

#include <gev/greenlet.h>

#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#include "lib/base/clock.h"
#include "lib/base/macros.h"
#include "lib/base/result.h"
#include "lib/core/handle.h"
#include "lib/core/hub.h"
#include "lib/core/lot.h"
#include "lib/core/park.h"

/* ---- From its own hub ---- */

static inline void hang(struct gev_greenlet *g, struct gev__ending *e, struct gev__gather *gather)
{
	*e = (struct gev__ending){.next = g->ends, .link = &g->ends, .gather = gather};
	if (e->next)
		e->next->link = &e->next;
	g->ends = veiled(e); /* gcc 12: -Wdangling-pointer. Whoever hangs there takes himself off before he returns. */
}

static void take_off(struct gev__ending *e)
{
	if (e->link == NULL)
		return;
	*e->link = e->next;
	if (e->next)
		e->next->link = e->link;
}

static inline void tell(const struct gev__ending *e)
{
	/* It may have had enough already, and not run yet. */
	if (e->gather->left && --e->gather->left == 0)
		gev__wake_here(e->gather->waiter);
}

void gev__ends_tell(struct gev__ending *last)
{
	struct gev__ending *first = NULL;
	if (likely(last->next == NULL)) {
		last->link = NULL;
		tell(last);
		return;
	}
	while (last) {
		struct gev__ending *next = last->next;
		last->next = first;
		last->link = NULL;
		first = last;
		last = next;
	}
	while (first) {
		struct gev__ending *next = first->next;
		tell(first);
		first = next;
	}
}

static int wait_for(const struct gev__gather *gather, int64_t deadline)
{
	while (gather->left) {
		int r = gev__park_as(gather->waiter, deadline, GEV_PARK_KILLABLE);
		if (r < 0 && gather->left)
			return r;
	}
	return 0;
}

static int wait_here(struct gev_greenlet *self, struct gev_greenlet *g, int64_t deadline)
{
	struct gev__gather gather = {.waiter = self, .left = 1};
	struct gev__ending e;
	hang(g, &e, &gather);
	int r = wait_for(&gather, deadline);
	take_off(&e);
	return r;
}

/* ---- From elsewhere ---- */

static bool not_done(void *arg)
{
	return !gev__is_done(arg);
}

/* Its end may have looked for us before we were there. Then its hub finds our word after that end, and looks again. */
static void leave_word(void *arg)
{
	if (gev__handle_post(arg) < 0)
		gev__lot_wake(arg, INT_MAX, 0);
}

static int wait_afar(const struct gev_greenlet *self, struct gev_greenlet *g, int64_t deadline)
{
	if (self && self == &self->hub->self)
		return -EPERM;
	__atomic_store_n(&g->joined_afar, true, __ATOMIC_RELEASE);
	while (!gev__is_done(g) && !gev__handle_is_lost(g)) {
		int r = gev__lot_wait(g, not_done, leave_word, g, deadline, GEV_PARK_KILLABLE | GEV_ON_GREENLET, NULL);
		if (r < 0 && r != -EAGAIN)
			return r;
	}
	return 0;
}

static int wait_one(struct gev_greenlet *self, struct gev_greenlet *g, int64_t deadline)
{
	if (g == self)
		return -EDEADLK;
	int r = gev__kill_point_of(self);
	if (r == 0 && !gev__is_done(g))
		r = likely(gev__is_near(self, g)) ? wait_here(self, g, deadline) : wait_afar(self, g, deadline);
	if (r == 0 && unlikely(g->lost || !gev__is_done(g)))
		r = -ESRCH;
	return r;
}

static int join(struct gev_greenlet *g, double timeout, void **value)
{
	int64_t deadline;
	int r = gev__deadline(timeout, &deadline);
	if (r == 0)
		r = wait_one(gev__self(), g, deadline);
	if (r == 0 && value)
		*value = g->failed ? NULL : g->value;
	return r;
}

int gev_join(struct gev_greenlet *g, double timeout, void **value)
{
	return (int)gev__result(join(g, timeout, value));
}

/* ---- Many ---- */

static size_t count_done(struct gev_greenlet *const *gs, size_t n)
{
	size_t done = 0;
	for (size_t i = 0; i < n; i++)
		done += gev__is_done(gs[i]);
	return done;
}

static int wait_for_some(struct gev_greenlet *const *gs, size_t n, size_t left, int64_t deadline)
{
	enum { ON_STACK = 16 };
	struct gev__ending few[ON_STACK];
	struct gev__ending *e = n > ON_STACK ? malloc(n * sizeof *e) : few;
	if (e == NULL)
		return -ENOMEM;
	struct gev__gather gather = {.waiter = gev__self(), .left = left};
	for (size_t i = 0; i < n; i++) {
		e[i].link = NULL;
		if (!gev__is_done(gs[i]))
			hang(gs[i], &e[i], &gather);
	}
	int r = wait_for(&gather, deadline);
	for (size_t i = 0; i < n; i++)
		take_off(&e[i]);
	if (e != few)
		free(e);
	return r;
}

static int wait_for_all(struct gev_greenlet *const *gs, size_t n, int64_t deadline)
{
	int r = 0;
	for (size_t i = 0; i < n && (r == 0 || r == -ESRCH); i++)
		r = wait_one(gev__self(), gs[i], deadline);
	return r == -ESRCH ? 0 : r;
}

static ssize_t joinall(struct gev_greenlet *const *gs, size_t n, size_t count, double timeout)
{
	int64_t deadline;
	int r = gev__deadline(timeout, &deadline);
	if (r < 0)
		return r;
	if (count > n)
		return -EINVAL;
	bool all = count == 0 || count == n;
	for (size_t i = 0; i < n; i++) {
		if (gs[i] == gev__self())
			return -EDEADLK;
		if (!all && !gev__is_here(gs[i]))
			return -EPERM;
	}
	r = gev__kill_point();
	if (r < 0)
		return r;
	if (all) {
		r = wait_for_all(gs, n, deadline);
	} else {
		size_t done = count_done(gs, n);
		if (done < count)
			r = wait_for_some(gs, n, count - done, deadline);
	}
	return r < 0 ? r : (ssize_t)count_done(gs, n);
}

ssize_t gev_joinall(struct gev_greenlet *const *gs, size_t n, size_t count, double timeout)
{
	return gev__result(joinall(gs, n, count, timeout));
}
