/* Steps on the parking lot, against a model of its queues.
 *
 * Invariants: who is woken is who came first; a waiter returns 0 exactly when it was chosen, with the chooser's token; a requeue keeps the
 * order; validate and decide are told the truth. */
#include <errno.h>
#include <limits.h>

#include "tests/random/random.h"

/* One waiter, as the model sees it; on the waiter's stack. */
struct ticket {
	struct ticket *next;
	unsigned place; /* index of the address it waits under */
	bool refused;
	bool chosen;
	bool wakes_another; /* in before_sleep */
	uintptr_t token;
	int64_t chosen_at;
	struct actor *actor;
};

static char addresses[ADDRESSES];
static struct ticket *queue[ADDRESSES];
static uintptr_t tokens;

static unsigned length(unsigned place)
{
	unsigned n = 0;
	for (const struct ticket *t = queue[place]; t; t = t->next)
		n++;
	return n;
}

static void append(unsigned place, struct ticket *t)
{
	struct ticket **end = &queue[place];
	while (*end)
		end = &(*end)->next;
	t->next = NULL;
	t->place = place;
	*end = t;
}

static void take_off(struct ticket *t)
{
	struct ticket **at = &queue[t->place];
	while (*at && *at != t)
		at = &(*at)->next;
	check(*at, "a waiter is on no queue of the model");
	*at = t->next;
}

static void chosen(unsigned place, uintptr_t token)
{
	struct ticket *t = queue[place];
	check(t, "a waiter was chosen where the model has none");
	queue[place] = t->next;
	t->chosen = true;
	t->token = token;
	t->chosen_at = now_ns();
}

static void wake_some(unsigned place, int n)
{
	uintptr_t token = ++tokens;
	unsigned waiting = length(place);
	int expected = (int)waiting < n ? (int)waiting : n;
	int r;
	if (world.fault == FAULT_LOSE_WAKE && n == 1 && expected == 1 && tokens % 64 == 0)
		r = expected;
	else if (world.fault == FAULT_WAKE_TWO && n == 1 && waiting > 1)
		r = world.rt->lot_wake(&addresses[place], 2, token) - 1;
	else
		r = world.rt->lot_wake(&addresses[place], n, token);
	check(r == expected, "lot_wake(%d) with %u waiting woke %d", n, waiting, r);
	while (r-- > 0)
		chosen(place, token);
}

static bool validate(void *arg)
{
	struct ticket *t = arg;
	if (!t->refused)
		append(t->place, t);
	return !t->refused;
}

static void before_sleep(void *arg)
{
	struct ticket *t = arg;
	if (t->wakes_another)
		wake_some((t->place + 1) % ADDRESSES, 1);
}

void step_lot_wait(struct actor *a)
{
	struct rng *r = &a->rng;
	struct ticket t = {
		.place = below(r, ADDRESSES),
		.refused = one_in(r, 10),
		.wakes_another = one_in(r, 6),
		.actor = a,
	};
	int64_t deadline = random_deadline(r);
	unsigned flags = random_flags(r);
	uintptr_t token = 0;
	int result = world.rt->lot_wait(&addresses[t.place], validate, one_in(r, 2) ? before_sleep : NULL, &t, deadline,
					flags, &token);
	if (t.refused) {
		check(result == -EAGAIN, "lot_wait refused by validate: %d", result);
		return;
	}
	check((result == 0) == t.chosen, "lot_wait gave %d, and was %schosen", result, t.chosen ? "" : "not ");
	if (result == 0) {
		check(token == t.token, "lot_wait received another's token");
		if (world.virtual_time)
			check(now_ns() - t.chosen_at <= LATE_AT_MOST, "a wake through the lot took %ld us",
			      (long)((now_ns() - t.chosen_at) / US));
		return;
	}
	check(result == -ETIMEDOUT || result == -ECANCELED, "lot_wait: %d", result);
	check_wait(a, result, deadline, flags);
	take_off(&t);
}

void step_lot_wake(struct actor *a)
{
	static const int many[] = {1, 1, 2, 3, INT_MAX};
	wake_some(below(&a->rng, ADDRESSES), many[below(&a->rng, 5)]);
}

static uintptr_t decide(void *arg, bool woken, bool more)
{
	const unsigned *place = arg;
	unsigned n = length(*place);
	check(woken == (n > 0) && more == (n > 1), "decide is told (%d, %d) with %u waiting", woken, more, n);
	++tokens;
	if (woken)
		chosen(*place, tokens);
	return tokens;
}

void step_lot_wake_one(struct actor *a)
{
	unsigned place = below(&a->rng, ADDRESSES);
	bool any = queue[place] != NULL;
	int r = world.rt->lot_wake_one(&addresses[place], decide, &place);
	check(r == any, "lot_wake_one woke %d", r);
}

static bool agree(void *arg)
{
	return *(bool *)arg;
}

void step_lot_requeue(struct actor *a)
{
	struct rng *r = &a->rng;
	unsigned from = below(r, ADDRESSES), to = (from + 1 + below(r, ADDRESSES - 1)) % ADDRESSES;
	int n_wake = (int)below(r, 3), n_move = one_in(r, 2) ? INT_MAX : (int)below(r, 4);
	bool yes = !one_in(r, 8);
	uintptr_t token = ++tokens;
	int done = world.rt->lot_requeue(&addresses[from], &addresses[to], n_wake, n_move, agree, &yes, token);
	if (!yes) {
		check(done == -EAGAIN, "lot_requeue refused: %d", done);
		return;
	}
	int expected = 0;
	for (; n_wake > 0 && queue[from]; n_wake--, expected++)
		chosen(from, token);
	for (; n_move > 0 && queue[from]; n_move--, expected++) {
		struct ticket *t = queue[from];
		queue[from] = t->next;
		append(to, t);
	}
	check(done == expected, "lot_requeue: %d, not %d", done, expected);
}

void lot_finish(void)
{
	for (unsigned place = 0; place < ADDRESSES; place++)
		wake_some(place, INT_MAX);
}
