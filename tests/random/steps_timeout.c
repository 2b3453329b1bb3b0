/* Steps with gev_timeout: begun and ended in any order, inside and outside of shields, left over at the end of a greenlet.
 *
 * Invariants: a wait ends early only because a timeout that counts is over, and then it is only so late; once one is over, whoever sleeps is told at
 * once; none says that it has fired before its time. */
#include <errno.h>
#include <math.h>

#include "tests/random/random.h"

struct limit limit_of(const struct actor *a, unsigned flags)
{
	struct limit l = {INT64_MAX, INT64_MAX};
	for (unsigned i = 0; flags & GEV_PARK_KILLABLE && i < STRETCHES; i++) {
		const struct stretch *s = &a->stretches[i];
		if (!s->open || (a->shielded && !s->shielded))
			continue; /* a shield holds off those that were begun outside of it */
		if (s->over.earliest < l.earliest)
			l.earliest = s->over.earliest;
		if (s->over.latest < l.latest)
			l.latest = s->over.latest;
	}
	return l;
}

/* Whether a wait of a's may end just now although its own time is not over. */
bool may_be_over(const struct actor *a)
{
	return a && limit_of(a, GEV_PARK_KILLABLE).earliest <= now_ns();
}

bool was_killed_late(const struct actor *a)
{
	return a->killed_at >= a->since && may_be_over(a);
}

static struct stretch *slot(struct actor *a, bool open)
{
	for (unsigned i = 0, from = below(&a->rng, STRETCHES); i < STRETCHES; i++) {
		struct stretch *s = &a->stretches[(from + i) % STRETCHES];
		if (s->open == open)
			return s;
	}
	return NULL;
}

/* Give or take what a double rounds away. */
static int64_t after(double seconds, int64_t rounding)
{
	if (seconds <= 0)
		return 0;
	return isinf(seconds) ? INT64_MAX : now_ns() + (int64_t)(seconds * 1e9) + rounding;
}

void step_timeout(struct actor *a)
{
	static const double times[] = {0, 0.0003, 0.001, 0.001, 0.003, 0.01, 1, INFINITY};
	struct stretch *s = slot(a, false);
	if (s == NULL)
		return;
	double seconds = times[below(&a->rng, 8)];
	s->shielded = a->shielded;
	s->over.earliest = after(seconds, -2);
	check(gev_timeout_begin(&s->timeout, seconds) == 0, "timeout: errno %d", errno);
	s->over.latest = after(seconds, 2);
	if (world.fault == FAULT_TIMEOUT && one_in(&a->rng, 50))
		s->over.earliest = s->over.latest = INT64_MAX;
	s->open = true;
}

void step_timeout_end(struct actor *a)
{
	struct stretch *s = slot(a, true);
	if (s == NULL)
		return;
	bool fired = gev_timeout_fired(&s->timeout);
	check(!fired || s->over.earliest <= now_ns(), "a timeout has fired %ld ns early",
	      (long)(s->over.earliest - now_ns()));
	check(gev_timeout_end(&s->timeout) == fired, "a timeout forgets at its end whether it fired");
	s->open = false;
	check(gev_timeout_end(&s->timeout) == fired, "and at the second");
}

/* A sleep while one is over already: it does not sleep. */
void step_be_late(struct actor *a)
{
	struct limit l = limit_of(a, GEV_PARK_KILLABLE);
	if (l.latest > now_ns())
		return;
	int64_t from = now_ns();
	int r = gev_sleep(1000);
	check(r == -1 &&
		      (errno == (is_mortal(a) ? ECANCELED : ETIMEDOUT) || (errno == ETIMEDOUT && was_killed_late(a))),
	      "a sleep in a timeout that is over: %d, errno %d", r, errno);
	check(!world.virtual_time || now_ns() - from <= LATE_AT_MOST, "it took %ld us to learn that the time is over",
	      (long)((now_ns() - from) / US));
}
