/* The timer heap. */
#include "lib/core/timers.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/base/log.h"
#include "lib/core/greenlet.h"

enum { FAN = 4 };

static uint32_t parent(uint32_t i)
{
	return (i - 2) / FAN + 1;
}

static uint32_t first_child(uint32_t i)
{
	return (i - 1) * FAN + 2;
}

static void put(struct gev__timers *t, uint32_t i, struct gev__timer timer)
{
	t->at[i] = timer;
	timer.g->timer_at = i;
}

static void rise(struct gev__timers *t, uint32_t i, struct gev__timer timer)
{
	while (i > 1 && t->at[parent(i)].deadline > timer.deadline) {
		put(t, i, t->at[parent(i)]);
		i = parent(i);
	}
	put(t, i, timer);
}

static void sink(struct gev__timers *t, uint32_t i, struct gev__timer timer)
{
	for (;;) {
		uint32_t child = first_child(i);
		if (child > t->n)
			break;
		uint32_t least = child;
		for (uint32_t c = child + 1; c < child + FAN && c <= t->n; c++)
			if (t->at[c].deadline < t->at[least].deadline)
				least = c;
		if (t->at[least].deadline >= timer.deadline)
			break;
		put(t, i, t->at[least]);
		i = least;
	}
	put(t, i, timer);
}

int gev__timers_reserve(struct gev__timers *t, uint32_t n)
{
	if (n < t->room)
		return 0;
	struct gev__timer *at = realloc(t->at, (n + 1) * sizeof *at);
	if (at == NULL)
		return -ENOMEM;
	t->at = at;
	t->room = n + 1;
	return 0;
}

void gev__timers_add(struct gev__timers *t, struct gev_greenlet *g, int64_t deadline)
{
	gev__must(t->n + 1 < t->room);
	rise(t, ++t->n, (struct gev__timer){.deadline = deadline, .g = g});
}

void gev__timers_remove(struct gev__timers *t, struct gev_greenlet *g)
{
	uint32_t i = g->timer_at;
	g->timer_at = 0;
	struct gev__timer last = t->at[t->n--];
	if (last.g == g)
		return;
	if (i > 1 && t->at[parent(i)].deadline > last.deadline)
		rise(t, i, last);
	else
		sink(t, i, last);
}

void gev__timers_done(struct gev__timers *t)
{
	free(t->at);
	*t = (struct gev__timers){0};
}
