/* Steps on time and order: yield, sleep, park and wake, and who comes after whom. */
#include <errno.h>
#include <string.h>

#include "tests/random/random.h"

int64_t random_deadline(struct rng *r)
{
	switch (below(r, 8)) {
	case 0:
		return INT64_MAX;
	case 1:
		return 0;
	case 2:
		return now_ns() + (int64_t)below(r, 50) * MS;
	default:
		return now_ns() + (int64_t)below(r, 3000) * US;
	}
}

unsigned random_flags(struct rng *r)
{
	return one_in(r, 4) ? GEV_PARK_PLAIN : GEV_PARK_KILLABLE;
}

void check_wait(const struct actor *a, int result, int64_t deadline, unsigned flags)
{
	struct limit limit = limit_of(a, flags);
	int64_t earliest = limit.earliest < deadline ? limit.earliest : deadline;
	int64_t latest = limit.latest < deadline ? limit.latest : deadline;
	if (result == -ETIMEDOUT) {
		check(earliest != INT64_MAX, "a wait without a deadline timed out");
		check(now_ns() >= earliest, "a timer fired %ld ns early", (long)(earliest - now_ns()));
	}
	if (result == -ECANCELED)
		check(is_mortal(a) && (flags & GEV_PARK_KILLABLE), "cancelled, but not killed (flags %u)", flags);
	else
		check(!(is_mortal(a) && (flags & GEV_PARK_KILLABLE) && result == -ETIMEDOUT) || was_killed_late(a),
		      "killed, but only timed out");
	if (world.virtual_time && latest != INT64_MAX && latest > a->since)
		check(now_ns() <= latest + LATE_AT_MOST, "a wait ended %ld us late", (long)((now_ns() - latest) / US));
}

void step_yield(struct actor *a)
{
	int expected = errno = 1 + (int)below(&a->rng, 100);
	if (world.fault == FAULT_ERRNO && one_in(&a->rng, 100))
		errno++;
	gev_yield();
	check(errno == expected, "yield changed errno from %d to %d", expected, errno);
}

void step_sleep(struct actor *a)
{
	struct rng *r = &a->rng;
	if (one_in(r, 2)) {
		double seconds = (double)below(r, 3000) * 1e-6;
		int64_t from = now_ns();
		int result = gev_sleep(seconds);
		check(result == 0 || errno == ECANCELED || (errno == ETIMEDOUT && may_be_over(a)), "sleep: errno %d",
		      errno);
		if (result == 0 || errno == ECANCELED)
			check_wait(a, result ? -ECANCELED : 0, 0, GEV_PARK_KILLABLE);
		check(result || now_ns() - from >= (int64_t)(seconds * 1e9) - 1, "slept less than %g s", seconds);
		return;
	}
	unsigned flags = random_flags(r);
	int64_t deadline = random_deadline(r);
	if (deadline == INT64_MAX)
		return;
	int result = world.rt->sleep_until(deadline, flags);
	if (world.fault == FAULT_EARLY && one_in(r, 100))
		deadline += 250 * MS;
	check(result == 0 || result == -ECANCELED || (result == -ETIMEDOUT && may_be_over(a)), "sleep_until: %d",
	      result);
	check_wait(a, result ? result : -ETIMEDOUT, deadline, flags);
}

/* A time in which nobody else gets a turn: longer than the hub's tick now and then. */
void step_compute(struct actor *a)
{
	virtual_pass((int64_t)below(&a->rng, one_in(&a->rng, 10) ? 5000 : 200) * US);
}

void step_park(struct actor *a)
{
	int64_t deadline = random_deadline(&a->rng);
	unsigned flags = random_flags(&a->rng);
	int r = 0;
	a->poked = false;
	a->parked = true;
	a->wakes = 1; /* one that came while it did something else may still be kept for it */
	while (!a->poked && r == 0) {
		r = world.rt->park(deadline, flags);
		if (r == 0 && !a->poked) {
			check(a->wakes > 0, "park returned, but nobody woke it");
			a->wakes--;
		}
	}
	a->parked = false;
	check(r <= 0, "park: %d", r);
	check_wait(a, r, deadline, flags);
	if (a->poked && world.virtual_time)
		check(now_ns() - a->poked_at <= LATE_AT_MOST, "a wake took %ld us",
		      (long)((now_ns() - a->poked_at) / US));
}

static void poke(struct actor *other)
{
	if (!other->poked) {
		other->poked = true;
		other->poked_at = now_ns();
	}
	other->wakes++;
	world.rt->wake(other->g);
}

void step_wake(struct actor *a)
{
	for (unsigned i = 0, from = below(&a->rng, ACTORS); i < ACTORS; i++) {
		struct actor *other = &actors[(from + i) % ACTORS];
		if (other->used && other->begun && !other->ended && (other->parked || one_in(&a->rng, 64))) {
			if (world.fault == FAULT_LOSE_WAKE && one_in(&a->rng, 20) && other->parked)
				other->poked = true;
			else
				poke(other);
			return;
		}
	}
}

void park_finish(void)
{
	for (unsigned i = 0; i < ACTORS; i++)
		if (actors[i].used && !actors[i].ended && actors[i].parked && !actors[i].poked)
			poke(&actors[i]);
}

/* ---- Who comes after whom: those made, yielding and woken in an order run in that order. ---- */

struct line {
	unsigned n;
	unsigned started;
	unsigned yielded;
	unsigned woken;
	char place; /* its address is where they wait */
};

struct one {
	struct line *line;
	unsigned number;
};

static void *stand_in_line(void *arg)
{
	struct one *me = arg;
	struct line *line = me->line;
	check(line->started++ == me->number, "they do not start in the order in which they were made");
	gev_yield();
	check(line->yielded++ == me->number, "a yield changed the order");
	int r = world.rt->lot_wait(&line->place, NULL, NULL, NULL, INT64_MAX, GEV_PARK_PLAIN, NULL);
	check(r == 0, "lot_wait: %d", r);
	check(line->woken++ == me->number, "they are not woken in the order in which they came");
	return me;
}

void step_order(struct actor *a)
{
	enum { MOST = 9 };
	struct line line = {.n = 2 + below(&a->rng, MOST - 1)};
	struct one ones[MOST + 1];
	struct gev_greenlet *g[MOST + 1];
	struct gev_spawn_attr attr = {.identity = one_in(&a->rng, 3) ? GEV_IDENTITY_OWN : GEV_IDENTITY_SHARED};
	for (unsigned i = 0; i < line.n; i++) {
		ones[i] = (struct one){&line, i};
		g[i] = gev_spawn_with(&attr, stand_in_line, &ones[i]);
		check(g[i], "spawn failed: errno %d", errno);
	}
	if (world.fault == FAULT_ORDER) {
		ones[0].number = 1;
		ones[1].number = 0;
	}
	while (line.yielded < line.n)
		gev_yield();
	unsigned left = line.n;
	while (left) {
		int n = one_in(&a->rng, 2) ? 1 : (int)left;
		int woken = world.rt->lot_wake(&line.place, n, 0);
		check(woken == n, "%d of %d were woken", woken, n);
		left -= (unsigned)woken;
		if (one_in(&a->rng, 2))
			gev_yield();
	}
	gev_shield_begin();
	for (unsigned i = 0; i < line.n; i++) {
		void *value;
		check(gev_join(g[i], GEV_FOREVER, &value) == 0, "join: errno %d", errno);
		check(value == &ones[i], "join found another value");
		gev_release(g[i]);
	}
	gev_shield_end();
}
