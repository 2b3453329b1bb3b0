/* Actors: their birth, life and end, and who holds their handles.
 *
 * Invariants: however many join an actor, each finds the value that it left, after its end; nobody but a killed actor is ever told
 * ECANCELED, and a killed one at its next killable wait at the latest; who was killed before it began never does. */
#include <errno.h>
#include <fenv.h>
#include <stdlib.h>
#include <string.h>

#include "tests/random/random.h"

uintptr_t actors_value(uint64_t serial)
{
	return (uintptr_t)(serial * UINT64_C(0x100000001b3));
}

struct actor actors[ACTORS];
unsigned population;
static uint64_t born;
static void *volatile leaked;
static __thread uint64_t mark; /* one for all that share an identity, one for each that has its own */

static unsigned weights[64];
static unsigned total;

void actors_mood(struct rng *r)
{
	static const unsigned factor[] = {0, 1, 1, 1, 4};
	total = 0;
	for (const struct op *o = ops; o->name; o++) {
		bool wanted = world.only == NULL || strstr(world.only, o->name);
		weights[o - ops] = wanted ? world.only ? 1 : o->weight * factor[below(r, 5)] : 0;
		total += weights[o - ops];
	}
	if (total == 0)
		total = weights[0] = 1;
}

static const struct op *choose(struct rng *r)
{
	unsigned at = below(r, total), i = 0;
	while (at >= weights[i])
		at -= weights[i++];
	return &ops[i];
}

/* Some of the stack must survive every switch, and so must errno, the rounding mode and the identity's variables. */
static void one_step(struct actor *a)
{
	static const int modes[] = {FE_TONEAREST, FE_DOWNWARD, FE_UPWARD, FE_TOWARDZERO};
	volatile uint64_t canary[16];
	int mode = modes[a->serial % 4];
	for (unsigned i = 0; i < 16; i++)
		canary[i] = a->serial * 31 + i;
	const struct op *o = choose(&a->rng);
	a->doing = o->name;
	a->since = now_ns();
	world.steps++;
	world.done[o - ops]++;
	note(o->name, a->serial, (int64_t)world.steps);
	virtual_pass((int64_t)below(&a->rng, 3000));
	fesetround(mode);
	o->step(a);
	check(fegetround() == mode, "actor %lu: the rounding mode changed in %s", a->serial, o->name);
	for (unsigned i = 0; i < 16; i++)
		check(canary[i] == a->serial * 31 + i, "actor %lu: its stack changed in %s", a->serial, o->name);
	check(!a->own || mark == a->serial, "actor %lu: its thread-local variable changed in %s", a->serial, o->name);
	a->doing = "";
}

/* Its place is free for the next as soon as nobody can ask for it any more. */
static void settle(struct actor *a)
{
	if (!a->held && !a->borrowed && a->waits && !a->begun && !a->ended) {
		a->ended = true; /* nobody can start it any more */
		population--;
	}
	if (a->ended && !a->held && !a->borrowed)
		a->used = false;
}

void actors_leave(void *actor)
{
	struct actor *a = actor;
	note("ends", a->serial, 0);
	a->ended = true;
	population--;
	settle(a);
}

/* With what it may have left over, well or as one that was broken off, by return or from within. */
static void *leave(struct actor *a)
{
	fesetround(FE_TONEAREST);
	for (unsigned i = 0; i < STRETCHES; i++)
		a->stretches[i].open = false;
	if (a->killed && one_in(&a->rng, 2)) {
		gev_fail(ECANCELED, "a kill");
		a->error = ECANCELED;
		a->value = 0;
	}
	uintptr_t value = a->value;
	if (world.fault == FAULT_VALUE && one_in(&a->rng, 100))
		value++;
	bool exits = one_in(&a->rng, 4);
	if (a->ends_by_defer)
		a->shielded = true; /* as the runtime does */
	else
		actors_leave(a);
	if (exits)
		gev_exit((void *)value);
	return (void *)value;
}

static void *live(void *arg)
{
	struct actor *a = arg;
	a->g = gev_self();
	check(!a->killed && !a->waits && !a->begun, "actor %lu begins, killed %d, not started %d", a->serial, a->killed,
	      a->waits);
	check(now_ns() >= a->not_before, "actor %lu begins %ld ns early", a->serial, (long)(a->not_before - now_ns()));
	a->begun = true;
	if (a->own) {
		check(mark == 0, "actor %lu: a fresh identity has a used variable", a->serial);
		mark = a->serial;
	}
	unsigned life = 1 + below(&a->rng, one_in(&a->rng, 8) ? 400 : 40);
	while (life-- && !world.stopping && world.steps < world.round_end && !(a->killed && one_in(&a->rng, 4))) {
		one_step(a);
		check(gev_is_killed() == a->killed, "actor %lu: killed is %d", a->serial, !a->killed);
	}
	return leave(a);
}

static struct actor *free_place(void)
{
	for (unsigned i = 0; i < ACTORS; i++)
		if (!actors[i].used)
			return &actors[i];
	return NULL;
}

void actors_spawn(struct rng *r)
{
	static const int identities[] = {GEV_IDENTITY_SHARED, GEV_IDENTITY_SHARED, GEV_IDENTITY_OWN};
	static const size_t sizes[] = {0, 0, 64 << 10, 1 << 20};
	enum { PLAIN, PLAIN_TOO, DETACHED, LATER, SUSPENDED, KINDS } kind = (int)below(r, KINDS);
	struct actor *a = free_place();
	if (a == NULL)
		return;
	struct gev_spawn_attr attr = {
		.name = one_in(r, 2) ? "actor" : NULL,
		.identity = identities[below(r, 3)],
		.stack_size = sizes[below(r, 4)],
		.suspended = kind == SUSPENDED,
	};
	*a = (struct actor){
		.used = true,
		.own = attr.identity == GEV_IDENTITY_OWN,
		.serial = ++born,
		.rng = {rng_next(r)},
		.doing = "",
		.held = kind != DETACHED,
		.waits = kind == SUSPENDED,
	};
	a->value = actors_value(a->serial);
	double seconds = (double)below(r, 2000) * 1e-6;
	if (kind == LATER)
		a->not_before = now_ns() + (int64_t)(seconds * 1e9) - 1;
	population++;
	if (kind == DETACHED)
		check(gev_spawn_detached(&attr, live, a) == 0, "spawn failed: errno %d", errno);
	else if (kind == LATER)
		a->g = gev_spawn_later(&attr, seconds, live, a);
	else
		a->g = gev_spawn_with(&attr, live, a);
	check(!a->held || a->g, "spawn failed: errno %d", errno);
	if (world.fault == FAULT_LEAK_MEMORY)
		leaked = malloc(4096);
	check(!a->held || !gev_is_done(a->g), "a greenlet has ended before it began");
	note("born", a->serial, kind);
}

void step_spawn(struct actor *a)
{
	actors_spawn(&a->rng);
}

struct actor *actors_pick(struct rng *r, const struct actor *but)
{
	for (int tries = 0; tries < 8; tries++) {
		struct actor *other = &actors[below(r, ACTORS)];
		if (other->used && other != but && other->held)
			return other;
	}
	return NULL;
}

void step_start(struct actor *a)
{
	struct actor *other = actors_pick(&a->rng, NULL);
	if (other == NULL)
		return;
	other->waits = false;
	check(gev_start(other->g) == 0, "start: errno %d", errno);
}

static void let_go(struct actor *other)
{
	other->held = false;
	struct gev_greenlet *g = other->g;
	settle(other);
	gev_release(g);
}

static void borrow(struct actor *other)
{
	check(gev_ref(other->g) == other->g, "ref gave another handle");
	other->borrowed++;
}

static void give_back(struct actor *other)
{
	struct gev_greenlet *g = other->g;
	other->borrowed--;
	settle(other);
	gev_release(g);
}

static void check_end(const struct actor *other, void *value)
{
	check(other->ended, "join of %lu returned before its end", other->serial);
	check(gev_is_done(other->g), "join of %lu returned, and it is not done", other->serial);
	check(gev_error(other->g) == other->error, "the error of %lu is %d", other->serial, gev_error(other->g));
	check((uintptr_t)value == other->value, "join of %lu found another value", other->serial);
}

static void join(struct actor *a, struct actor *other, double seconds)
{
	int64_t from = now_ns();
	uint64_t serial = other->serial;
	void *value = NULL;
	borrow(other);
	int r = gev_join(other->g, seconds, &value);
	check(other->used && other->serial == serial, "a handle changed hands");
	if (r < 0) {
		int error = errno;
		check(error == ETIMEDOUT || (error == ECANCELED && a && is_mortal(a)), "join: errno %d", error);
		check(error != ETIMEDOUT || seconds <= 0 || may_be_over(a) ||
			      now_ns() - from >= (int64_t)(seconds * 1e9) - 1,
		      "join timed out early: %g s", seconds);
	} else {
		note("joined", serial, 0);
		check_end(other, value);
		if (other->held)
			let_go(other);
	}
	give_back(other);
}

static double random_timeout(struct rng *r)
{
	static const double times[] = {0, 0.0001, 0.001, 0.02, 1};
	return times[below(r, 5)];
}

void step_join(struct actor *a)
{
	struct actor *other = actors_pick(&a->rng, a);
	if (other)
		join(a, other, random_timeout(&a->rng));
}

enum { CROWD = 6 };

static size_t gather(struct actor *a, struct actor *crowd[CROWD], struct gev_greenlet *gs[CROWD])
{
	size_t n = 0;
	for (size_t wanted = 1 + below(&a->rng, CROWD); wanted; wanted--) {
		struct actor *other = actors_pick(&a->rng, a);
		if (other == NULL)
			continue;
		borrow(other);
		crowd[n] = other;
		gs[n++] = other->g;
	}
	return n;
}

static ssize_t count_ended(struct actor *crowd[CROWD], size_t n)
{
	ssize_t ended = 0;
	for (size_t i = 0; i < n; i++)
		ended += crowd[i]->ended;
	return ended;
}

void step_joinall(struct actor *a)
{
	struct actor *crowd[CROWD];
	struct gev_greenlet *gs[CROWD];
	size_t n = gather(a, crowd, gs), count = n ? below(&a->rng, (unsigned)n + 1) : 0;
	size_t wanted = count ? count : n;
	ssize_t r = gev_joinall(gs, n, count, random_timeout(&a->rng));
	if (r < 0)
		check(errno == ETIMEDOUT || (errno == ECANCELED && is_mortal(a)), "joinall: errno %d", errno);
	else
		check((size_t)r >= wanted && r <= (ssize_t)n && count_ended(crowd, n) >= r,
		      "joinall of %zu, %zu wanted, says %zd; %zd have ended", n, wanted, r, count_ended(crowd, n));
	for (size_t i = 0; i < n; i++)
		give_back(crowd[i]);
}

void step_release(struct actor *a)
{
	struct actor *other = actors_pick(&a->rng, NULL);
	if (other)
		let_go(other);
}

/* What the model learns from a kill that is about to happen. */
static void mark_killed(struct actor *other)
{
	other->wakes++;
	if (other->ended || other->killed)
		return;
	other->killed = true;
	other->killed_at = now_ns();
	note("kills", other->serial, 0);
	if (!other->begun) {
		other->ended = true;
		other->value = 0;
		other->error = ECANCELED;
		population--;
	}
}

void step_kill(struct actor *a)
{
	struct actor *other = actors_pick(&a->rng, NULL);
	if (other == NULL || other->ended || other->killed)
		return;
	mark_killed(other);
	if (world.fault != FAULT_FORGET_KILL || !other->begun || !one_in(&a->rng, 20))
		gev_kill(other->g);
}

void step_killall(struct actor *a)
{
	struct actor *crowd[CROWD];
	struct gev_greenlet *gs[CROWD];
	if (!one_in(&a->rng, 4))
		return;
	size_t n = gather(a, crowd, gs);
	for (size_t i = 0; i < n; i++)
		mark_killed(crowd[i]);
	if (gev_killall(gs, n, random_timeout(&a->rng)) == 0)
		check(count_ended(crowd, n) == (ssize_t)n, "killall: %zd of %zu have ended", count_ended(crowd, n), n);
	else
		check(errno == ETIMEDOUT || (errno == ECANCELED && is_mortal(a)), "killall: errno %d", errno);
	for (size_t i = 0; i < n; i++)
		give_back(crowd[i]);
}

void actors_in_shield(struct actor *a, unsigned steps)
{
	bool was = a->shielded;
	a->shielded = true;
	while (steps--) {
		const struct op *o = choose(&a->rng);
		a->doing = o->name;
		a->since = now_ns();
		o->step(a);
	}
	a->shielded = was;
	for (unsigned i = 0; !was && i < STRETCHES; i++)
		a->stretches[i].shielded = false;
}

void step_shield(struct actor *a)
{
	if (a->shielded) {
		gev_shield_begin();
		gev_yield();
		gev_shield_end();
		return;
	}
	gev_shield_begin();
	actors_in_shield(a, below(&a->rng, 4));
	gev_shield_end();
}

void actors_verify(void)
{
	unsigned alive = 0;
	for (unsigned i = 0; i < ACTORS; i++)
		alive += actors[i].used && !actors[i].ended;
	check(alive == population, "%u actors alive, %u counted", alive, population);
}

/* Those that wait for gev_start get it. */
static void start_all(void)
{
	for (unsigned i = 0; i < ACTORS; i++) {
		struct actor *a = &actors[i];
		if (!a->used || !a->waits || !a->held)
			continue;
		a->waits = false;
		gev_start(a->g);
	}
}

void actors_reap(void)
{
	start_all();
	for (unsigned i = 0; i < ACTORS; i++)
		if (actors[i].used && actors[i].ended && actors[i].held)
			join(NULL, &actors[i], 0);
}

void actors_finish(void)
{
	for (int turn = 0; turn < 10000; turn++) {
		park_finish();
		lot_finish();
		fd_finish();
		start_all();
		bool left = false;
		for (unsigned i = 0; i < ACTORS; i++) {
			struct actor *a = &actors[i];
			if (!a->used)
				continue;
			left = true;
			if (a->held)
				join(NULL, a, i % 2 ? 0 : 0.001);
		}
		if (!left)
			return;
		gev_sleep(0.001);
	}
	fail("somebody never ends");
}
