/* Kill and shield, and their public face. */
#include "lib/core/kill.h"

#include <gev/greenlet.h>
#include <gev/kill.h>

#include <errno.h>
#include <stdint.h>

#include "lib/base/log.h"
#include "lib/base/result.h"
#include "lib/core/handle.h"
#include "lib/core/park.h"
#include "lib/core/timeout.h"

/* Changes marks; returns what they are now. */
static uint8_t change(struct gev_greenlet *g, unsigned (*to)(unsigned was))
{
	uint8_t was = gev__marks(g), is;
	do {
		is = (uint8_t)(to(was) & ~(unsigned)GEV__MARK_LOOK);
		if (is & (GEV__MARK_KILLED | GEV__MARK_TIMED))
			is |= GEV__MARK_LOOK;
	} while (!__atomic_compare_exchange_n(&g->marks, &was, is, true, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED));
	return is;
}

static unsigned killed_marks(unsigned was)
{
	return was | (was & GEV__MARK_SHIELDED ? GEV__MARK_KILL_WAITS : GEV__MARK_KILLED);
}

static unsigned unkilled_marks(unsigned was)
{
	return was & ~(unsigned)(GEV__MARK_KILLED | GEV__MARK_KILL_WAITS);
}

static unsigned shielded_marks(unsigned was)
{
	return unkilled_marks(was) | GEV__MARK_SHIELDED |
	       (was & (GEV__MARK_KILLED | GEV__MARK_KILL_WAITS) ? GEV__MARK_KILL_WAITS : 0);
}

static unsigned unshielded_marks(unsigned was)
{
	return (unkilled_marks(was) & ~(unsigned)GEV__MARK_SHIELDED) |
	       (was & GEV__MARK_KILL_WAITS ? GEV__MARK_KILLED : 0);
}

static unsigned timed_marks(unsigned was)
{
	return was | GEV__MARK_TIMED;
}

static unsigned untimed_marks(unsigned was)
{
	return was & ~(unsigned)GEV__MARK_TIMED;
}

void gev__mark_timed(struct gev_greenlet *g, bool timed)
{
	if (timed != !!(gev__marks(g) & GEV__MARK_TIMED))
		change(g, timed ? timed_marks : untimed_marks);
}

/* Whether g must be told. */
static bool mark_killed(struct gev_greenlet *g)
{
	return change(g, killed_marks) & GEV__MARK_KILLED && g != gev__self();
}

/* If it does not park just now, the next wait it begins sees the mark. */
static void tell_here(struct gev_greenlet *g)
{
	if (g->state == GEV__NEW && !g->is_thread)
		gev__greenlet_start(g);
	else
		gev__wake_here(g);
}

void gev__kill(struct gev_greenlet *g, bool killed)
{
	if (!killed)
		change(g, unkilled_marks);
	else if (!mark_killed(g))
		return;
	else if (gev__is_here(g))
		tell_here(g);
	else
		gev__hub_post(g->hub, g);
}

bool gev__interrupt(struct gev_greenlet *g, bool interrupted)
{
	bool waits = gev__is_here(g) && g->state == GEV__PARKED;
	if (!interrupted) {
		__atomic_fetch_and(&g->marks, (uint8_t)~GEV__MARK_INTERRUPTED, __ATOMIC_SEQ_CST);
		return waits;
	}
	__atomic_fetch_or(&g->marks, GEV__MARK_INTERRUPTED, __ATOMIC_SEQ_CST);
	gev__wake(g);
	return waits;
}

void gev_kill(struct gev_greenlet *g)
{
	if (gev__is_done(g) || !mark_killed(g))
		return;
	if (gev__is_here(g))
		tell_here(g);
	else
		gev__handle_post(g); /* its OS thread is gone: then so is it */
}

static ssize_t killall(struct gev_greenlet *const *gs, size_t n, double timeout)
{
	/* All of them before any of them runs: so none of the unstarted ones begins, whatever the others do at their end. */
	for (size_t i = 0; i < n; i++)
		gev_kill(gs[i]);
	return gev_joinall(gs, n, 0, timeout) < 0 ? -errno : 0;
}

int gev_killall(struct gev_greenlet *const *gs, size_t n, double timeout)
{
	return (int)gev__result(killall(gs, n, timeout));
}

bool gev__is_killed(const struct gev_greenlet *g)
{
	return gev__marks(g) & (GEV__MARK_KILLED | GEV__MARK_KILL_WAITS);
}

bool gev_is_killed(void)
{
	const struct gev_greenlet *g = gev__self();
	return g && gev__is_killed(g);
}

/* ---- Shields ---- */

void gev__shield_begin(struct gev_greenlet *g)
{
	if (g->shields++ == 0)
		change(g, shielded_marks);
	gev__timeouts_reconsider(g);
}

void gev__shield_end(struct gev_greenlet *g)
{
	gev__must(g->shields > 0);
	if (--g->shields == 0)
		change(g, unshielded_marks);
	gev__timeouts_reconsider(g);
}

void gev_shield_begin(void)
{
	struct gev_greenlet *g = gev__self();
	if (g)
		gev__shield_begin(g);
}

void gev_shield_end(void)
{
	struct gev_greenlet *g = gev__self();
	if (g)
		gev__shield_end(g);
}
