/* Steps about what belongs to a greenlet and what happens when it ends: defers, links, locals.
 *
 * Invariants: defers run once each, the last first, on the greenlet; a link that was not taken off again is called once, after the end, in the order of
 * linking, by the hub; the destructor of each value that a local still has runs once, on its greenlet, after the defers; nobody else's value is ever seen. */
#include <errno.h>
#include <stdlib.h>

#include "tests/random/random.h"

/* ---- Defers ---- */

static void run_defer(void *arg)
{
	struct actor *a = arg;
	check(gev_self() == a->g, "a defer does not run on its greenlet");
	check(a->defers > 0, "a defer too many");
	a->defers--;
	note("defer", a->serial, a->defers);
	actors_in_shield(a, below(&a->rng, 3));
}

/* Each knows its place. */
static void defer_0(void *arg)
{
	check(((struct actor *)arg)->defers == 1, "actor %lu: its first defer, and %u are left",
	      ((struct actor *)arg)->serial, ((struct actor *)arg)->defers);
	run_defer(arg);
}

static void defer_1(void *arg)
{
	check(((struct actor *)arg)->defers == 2, "actor %lu: its second defer, and %u are left",
	      ((struct actor *)arg)->serial, ((struct actor *)arg)->defers);
	run_defer(arg);
}

void step_defer(struct actor *a)
{
	static void (*const places[])(void *) = {defer_0, defer_1, run_defer};
	if (world.stopping || a->defers == 5)
		return;
	if (!a->ends_by_defer) {
		/* The last of all to run. */
		a->ends_by_defer = true;
		check(gev_defer(actors_leave, a) == 0, "defer: errno %d", errno);
	}
	void (*fn)(void *) = places[a->defers < 2 ? a->defers : 2];
	a->defers++;
	if (world.fault != FAULT_DEFER || !one_in(&a->rng, 50))
		check(gev_defer(fn, a) == 0, "defer: errno %d", errno);
}

/* ---- Links: in the order in which they were made ---- */

struct link {
	struct link *next;
	uint64_t serial; /* of its greenlet's actor */
	uintptr_t value; /* what it leaves, if it ends well */
	bool returned;   /* gev_link has */
};

static struct link *links, **links_end = &links;
static struct rng link_rng;

static void make_link(struct gev_greenlet *g, uint64_t serial, uintptr_t value);

static void link_off(struct link *l)
{
	struct link **at = &links;
	while (*at && *at != l)
		at = &(*at)->next;
	check(*at, "a link is called twice, or was taken off");
	*at = l->next;
	if (links_end == &l->next)
		links_end = at;
	free(l);
}

static void called(struct gev_greenlet *g, void *arg)
{
	struct link *l = arg, *first = links;
	void *value = &value;
	while (first && first->serial != l->serial)
		first = first->next;
	check(first && first == l, "a link is called before another one of the same greenlet that was made earlier");
	check(l->returned, "a link is called before gev_link has returned");
	check(gev_self() == NULL, "a link runs on a greenlet");
	check(gev_is_done(g), "a link is called before the end");
	check(gev_join(g, 100, &value) == 0, "join in a link: errno %d", errno);
	check(value == (gev_error(g) ? NULL : (void *)l->value), "a link finds another value");
	check(gev_sleep(0.001) == -1 && errno == EPERM, "a link may sleep");
	uint64_t serial = l->serial;
	uintptr_t expected = l->value;
	note("linked", serial, gev_error(g));
	link_off(l);
	if (one_in(&link_rng, 8) && !world.stopping)
		actors_spawn(&link_rng);
	if (one_in(&link_rng, 8))
		make_link(g, serial, expected);
}

static void make_link(struct gev_greenlet *g, uint64_t serial, uintptr_t value)
{
	struct link *l = malloc(sizeof *l);
	check(l, "no memory");
	*l = (struct link){.serial = serial, .value = value};
	*links_end = l;
	links_end = &l->next;
	if (world.fault != FAULT_LINK || !one_in(&link_rng, 50))
		check(gev_link(g, called, l) == 0, "link: errno %d", errno);
	l->returned = true;
}

void step_link(struct actor *a)
{
	struct actor *other = actors_pick(&a->rng, NULL);
	if (other)
		make_link(other->g, other->serial, actors_value(other->serial));
}

void step_unlink(struct actor *a)
{
	struct actor *other = actors_pick(&a->rng, NULL);
	if (other == NULL)
		return;
	struct link *l = links;
	while (l && l->serial != other->serial)
		l = l->next;
	if (l) {
		check(gev_unlink(other->g, called, l) == 0, "unlink: errno %d", errno);
		link_off(l);
	} else {
		check(gev_unlink(other->g, called, a) == -1 && errno == ENOENT, "unlink of none: errno %d", errno);
	}
}

/* ---- Locals ---- */

struct value {
	struct value *next, **at;
	const struct gev_greenlet *g;
	unsigned local;
	uint64_t generation;
	bool another; /* its destructor sets one more, once */
};

static struct gev_local *locals[LOCALS];
static uint64_t generations[LOCALS];
static struct value *values;

static struct value *new_value(unsigned local, bool another)
{
	struct value *v = malloc(sizeof *v);
	check(v, "no memory");
	*v = (struct value){values, &values, gev_self(), local, generations[local], another};
	if (values)
		values->at = &v->next;
	values = v;
	return v;
}

static void free_value(struct value *v)
{
	*v->at = v->next;
	if (v->next)
		v->next->at = v->at;
	free(v);
}

static void destroy(void *value)
{
	struct value *v = value;
	check(v->g == gev_self(), "a destructor runs on another greenlet");
	check(v->generation == generations[v->local], "a destructor of a variable that is no more");
	note("destroys", v->local, 0);
	if (v->another) {
		unsigned local = (v->local + 1) % LOCALS;
		if (gev_local_get(locals[local]) == NULL)
			check(gev_local_set(locals[local], new_value(local, false)) == 0, "local: errno %d", errno);
	}
	free_value(v);
	gev_yield();
}

void step_local(struct actor *a)
{
	unsigned i = below(&a->rng, LOCALS);
	struct value *mine = a->generations[i] == generations[i] ? a->values[i] : NULL;
	struct value *seen = gev_local_get(locals[i]);
	check(seen == mine, "actor %lu: local %u is %s", a->serial, i, mine ? "lost" : "another's");
	struct value *v = one_in(&a->rng, 4) ? NULL : new_value(i, one_in(&a->rng, 4));
	check(gev_local_set(locals[i], v) == 0, "local: errno %d", errno);
	if (mine)
		free_value(mine);
	a->values[i] = v;
	a->generations[i] = generations[i];
	if (world.fault == FAULT_LOCAL && v && one_in(&a->rng, 50))
		gev_local_set(locals[i], NULL);
}

/* The variable is no more, whoever has values of it; another one takes its number. */
void step_local_anew(struct actor *a)
{
	unsigned i = below(&a->rng, LOCALS);
	if (!one_in(&a->rng, 4))
		return;
	gev_local_free(locals[i]);
	generations[i]++;
	locals[i] = gev_local_new(destroy);
	check(locals[i], "local: errno %d", errno);
}

/* ---- Rounds ---- */

void end_begin(struct rng *r)
{
	link_rng.state = rng_next(r);
	for (unsigned i = 0; i < LOCALS && locals[i] == NULL; i++) {
		generations[i] = 1; /* an actor starts with 0 */
		locals[i] = gev_local_new(destroy);
		check(locals[i], "local: errno %d", errno);
	}
}

/* Everybody has ended. */
void end_finish(void)
{
	check(links == NULL, "a link of actor %lu was never called", links->serial);
	for (struct value *v = values, *next; v; v = next) {
		next = v->next;
		check(v->generation != generations[v->local], "a value of local %u was never destroyed", v->local);
		free_value(v);
	}
}
