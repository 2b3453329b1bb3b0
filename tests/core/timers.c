/* The timer heap against a sorted list, under seeds. */
#include <criterion/criterion.h>

#include <stdlib.h>

#include "lib/core/greenlet.h"
#include "lib/core/timers.h"

enum { N = 500 };
static struct gev_greenlet g[N];
static int64_t deadline[N];

static int64_t least(void)
{
	int64_t first = NEVER;
	for (int i = 0; i < N; i++)
		if (g[i].timer_at && deadline[i] < first)
			first = deadline[i];
	return first;
}

static void verify(const struct gev__timers *t)
{
	for (uint32_t i = 1; i <= t->n; i++) {
		cr_assert_eq(t->at[i].g->timer_at, i);
		if (i > 1)
			cr_assert_leq(t->at[(i - 2) / 4 + 1].deadline, t->at[i].deadline);
	}
	cr_assert_eq(gev__timers_first(t), least());
}

Test(timers, random_adds_and_removes_keep_the_order)
{
	for (unsigned seed = 1; seed <= 20; seed++) {
		struct gev__timers t = {0};
		cr_assert_eq(gev__timers_reserve(&t, N), 0);
		srandom(seed);
		for (int step = 0; step < 2000; step++) {
			struct gev_greenlet *x = &g[random() % N];
			if (x->timer_at) {
				gev__timers_remove(&t, x);
			} else {
				deadline[x - g] = random() % 1000;
				gev__timers_add(&t, x, deadline[x - g]);
			}
			verify(&t);
		}
		int64_t last = 0;
		while (t.n) {
			struct gev_greenlet *x = t.at[1].g;
			cr_assert_geq(deadline[x - g], last);
			last = deadline[x - g];
			gev__timers_remove(&t, x);
		}
		gev__timers_done(&t);
	}
}
