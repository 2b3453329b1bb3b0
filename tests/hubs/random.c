/* The random test of several hubs: lives, handles that go from hand to hand, and what must be true of them.
 *
 * Usage: test-hubs-random [--seed N] [--steps N] [--fault value|lose|twice|item]. The seed, if none is given, is the time; a failure prints it. */
#include "tests/hubs/random.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/lock.h"
#include "lib/context/identity.h"

struct world world = {.steps = 3000};

static const char *const fault_names[FAULTS] = {"none", "value", "lose", "twice", "item"};
static char again[128];

void fail(const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fprintf(stderr, "\nFAILED; again: %s\n", again);
	_exit(1);
}

static void too_long(int sig)
{
	static const char text[] = "somebody waits for ever\nFAILED; again: ";
	ssize_t r = write(2, text, sizeof text - 1);
	r += write(2, again, strlen(again));
	r += write(2, "\n", 1);
	_exit(r > 0 ? 1 : 2);
}

/* ---- Handles: each place holds one, with what is known of its greenlet ---- */

enum { PLACES = 40, MOST_AT_ONCE = 4 };

struct known {
	struct gev_greenlet *g;
	uint64_t serial;
	struct life *life;
};

static struct place {
	struct gev__lock lock;
	struct known known;
} places[PLACES];

static void put(struct doer *me, struct known known)
{
	struct place *p = &places[below(&me->rng, PLACES)];
	gev__lock(&p->lock);
	struct known before = p->known;
	p->known = known;
	gev__unlock(&p->lock);
	gev_release(before.g);
}

/* A handle of one's own, or NULL. */
static struct known take(struct doer *me)
{
	struct place *p = &places[below(&me->rng, PLACES)];
	gev__lock(&p->lock);
	struct known known = p->known;
	if (known.g)
		gev_ref(known.g);
	gev__unlock(&p->lock);
	return known;
}

void handles_end(void)
{
	for (int i = 0; i < PLACES; i++)
		gev_release(places[i].known.g);
}

static bool is_near(const struct doer *me, const struct known *k)
{
	return me->on_hub && k->life == me->life;
}

/* ---- Lives of greenlets ---- */

static void count_defer(void *arg)
{
	((struct life *)arg)->deferred++;
}

static void count_link(struct gev_greenlet *g, void *arg)
{
	struct life *life = arg;
	check(gev_is_done(g), "a link of one that has not ended");
	life->linked++;
}

/* What is at `arg`: the serial number above the number of the life. */
static uint64_t serial_of(void *arg)
{
	return (uintptr_t)arg / MOST_LIVES;
}

static struct life *life_of(void *arg)
{
	return &world.lives[(uintptr_t)arg % MOST_LIVES];
}

static void *doze(void *arg)
{
	gev_sleep(1000); /* until it is killed; else its OS thread ends before */
	return value_of(serial_of(arg));
}

static void *act(void *arg)
{
	struct life *life = life_of(arg);
	uint64_t serial = serial_of(arg);
	struct doer me = {.rng = {world.seed ^ serial * UINT64_C(0x9e3779b97f4a7c15)}, .life = life, .on_hub = true};
	life->begun++;
	if (one_in(&me.rng, 4) && gev_defer(count_defer, life) == 0)
		life->defers++;
	for (unsigned n = 1 + below(&me.rng, 30); n && life->steps_left > 0; n--) {
		life->steps_left--;
		step(&me);
		if (gev_is_killed() && one_in(&me.rng, 2))
			break;
	}
	bool fails = gev_is_killed() && one_in(&me.rng, 2);
	bool exits = one_in(&me.rng, 8);
	void *value = value_of(serial + (world.fault == FAULT_VALUE && serial % 8 == 0));
	life->ended++;
	if (fails)
		return gev_fail(ECANCELED, NULL); /* of one that was killed nothing is said */
	if (exits)
		gev_exit(value);
	return value;
}

static void *act_by_copy(void *copy)
{
	return act(*(void **)copy);
}

void spawn_one(struct doer *me)
{
	struct known k = {.serial = __atomic_add_fetch(&world.serials, 1, __ATOMIC_RELAXED), .life = me->life};
	void *arg = (void *)(uintptr_t)(k.serial * MOST_LIVES + (uint64_t)me->life->number);
	struct gev_spawn_attr attr = {.name = "actor",
				      .identity = me->life->own && one_in(&me->rng, 2) ? GEV_IDENTITY_OWN
										       : GEV_IDENTITY_SHARED};
	switch (below(&me->rng, 8)) {
	case 0:
		check(gev_spawn_detached(&attr, act, arg) == 0, "spawn_detached: errno %d", errno);
		return;
	case 1:
		attr.suspended = true;
		k.g = gev_spawn_with(&attr, act, arg);
		break;
	case 2:
		k.g = gev_spawn_later(&attr, below(&me->rng, 400) * 1e-6, act, arg);
		break;
	case 3:
		k.g = gev_spawn_with(&attr, doze, arg);
		break;
	case 4:
		k.g = gev_spawn_copy(&attr, act_by_copy, &arg, sizeof arg);
		break;
	default:
		k.g = gev_spawn_with(&attr, act, arg);
	}
	check(k.g != NULL, "spawn: errno %d", errno);
	put(me, k);
}

/* ---- Steps with handles ---- */

static double soon(struct doer *me)
{
	return (double)below(&me->rng, 400) * 1e-6;
}

static void check_end(const struct known *k, void *value)
{
	int error = gev_error(k->g);
	check(gev_is_done(k->g), "joined, and not done");
	check(error == 0 ? value == value_of(k->serial) : error == ECANCELED && value == NULL,
	      "greenlet %" PRIu64 " left %p, error %d", k->serial, value, error);
}

/* Of a wait for ends that failed. */
static void check_not_ended(const struct doer *me, const struct known *k, size_t n, bool some)
{
	int error = errno;
	bool own = false, foreign = false;
	for (size_t i = 0; i < n; i++) {
		own |= me->on_hub && k[i].g == gev_self();
		foreign |= !is_near(me, &k[i]);
	}
	check(error == ETIMEDOUT || (error == ECANCELED && me->on_hub && gev_is_killed()) ||
		      (error == EDEADLK && own) || (error == EPERM && some && foreign) ||
		      (error == ESRCH && n == 1 && __atomic_load_n(&k->life->over, __ATOMIC_ACQUIRE)),
	      "a wait for ends: errno %d", error);
}

static void step_join(struct doer *me)
{
	struct known k = take(me);
	void *value = NULL;
	if (k.g == NULL)
		return;
	if (gev_join(k.g, soon(me), &value) == 0)
		check_end(&k, value);
	else
		check_not_ended(me, &k, 1, false);
	gev_release(k.g);
}

static size_t take_many(struct doer *me, struct known *k, struct gev_greenlet **gs)
{
	size_t n = 0;
	for (unsigned i = 1 + below(&me->rng, MOST_AT_ONCE); i; i--) {
		k[n] = take(me);
		gs[n] = k[n].g;
		n += k[n].g != NULL;
	}
	return n;
}

static void release_many(struct gev_greenlet **gs, size_t n)
{
	for (size_t i = 0; i < n; i++)
		gev_release(gs[i]);
}

static void step_joinall(struct doer *me)
{
	struct known k[MOST_AT_ONCE];
	struct gev_greenlet *gs[MOST_AT_ONCE];
	size_t n = take_many(me, k, gs), count = n && one_in(&me->rng, 2) ? 1 + below(&me->rng, (unsigned)n) : 0;
	ssize_t r = gev_joinall(gs, n, count, soon(me));
	if (r < 0)
		check_not_ended(me, k, n, count && count < n);
	else
		check((size_t)r >= (count ? count : n) && (size_t)r <= n, "%zd of %zu ended, asked for %zu", r, n,
		      count);
	release_many(gs, n);
}

static void step_killall(struct doer *me)
{
	struct known k[MOST_AT_ONCE];
	struct gev_greenlet *gs[MOST_AT_ONCE];
	size_t n = take_many(me, k, gs);
	if (gev_killall(gs, n, one_in(&me->rng, 2) ? 0 : soon(me)))
		check_not_ended(me, k, n, false);
	release_many(gs, n);
}

static void step_kill(struct doer *me)
{
	struct known k = take(me);
	if (k.g == NULL)
		return;
	gev_kill(k.g);
	check(strcmp(gev_name(k.g), "actor") == 0, "its name is %s", gev_name(k.g));
	gev_release(k.g);
}

static void step_release(struct doer *me)
{
	put(me, (struct known){.g = NULL});
}

static void step_start(struct doer *me)
{
	struct known k = take(me);
	if (k.g == NULL)
		return;
	int r = gev_start(k.g);
	check(is_near(me, &k) ? r == 0 : r == -1 && errno == EPERM, "start: %d, errno %d", r, errno);
	gev_release(k.g);
}

static void step_link(struct doer *me)
{
	struct known k = take(me);
	if (k.g == NULL)
		return;
	int r = gev_link(k.g, count_link, me->life);
	if (!is_near(me, &k)) {
		check(r == -1 && (errno == EPERM || errno == ESRCH), "link: %d, errno %d", r, errno);
		r = gev_unlink(k.g, count_link, me->life);
		check(r == -1 && errno == EPERM, "unlink: %d, errno %d", r, errno);
	} else {
		check(r == 0, "link: errno %d", errno);
		me->life->links++;
		if (one_in(&me->rng, 2)) {
			check(gev_unlink(k.g, count_link, me->life) == 0, "unlink: errno %d", errno);
			me->life->links--;
		}
	}
	gev_release(k.g);
}

static void step_spawn(struct doer *me)
{
	if (one_in(&me->rng, 2))
		spawn_one(me);
	else
		__atomic_store_n(&world.wanted[below(&me->rng, HUBS)], 1, __ATOMIC_RELEASE);
}

static void step_want(struct doer *me)
{
	__atomic_store_n(&world.wanted[below(&me->rng, HUBS)], 1, __ATOMIC_RELEASE);
}

static void step_yield(struct doer *me)
{
	if (one_in(&me->rng, 2))
		gev_yield();
	else
		gev_sleep(soon(me));
}

static step_function *const anywhere[] = {step_join,      step_join,   step_joinall, step_killall,   step_kill,
					  step_release,   step_start,  step_link,    step_semaphore, step_semaphore,
					  step_semaphore, step_answer, step_close,   step_offload,   step_apart,
					  step_local,     step_want,   step_put,     step_get};
static step_function *const on_hubs[] = {step_spawn, step_spawn, step_yield, step_ask,   step_send,  step_send,
					 step_recv,  step_recv,  step_poll,  step_stale, step_stale, step_timeout};

void step(struct doer *me)
{
	enum { ANYWHERE = sizeof anywhere / sizeof *anywhere, ON_HUBS = sizeof on_hubs / sizeof *on_hubs };
	unsigned at = below(&me->rng, me->on_hub ? ANYWHERE + ON_HUBS : ANYWHERE);
	(at < ANYWHERE ? anywhere[at] : on_hubs[at - ANYWHERE])(me);
}

/* ---- Lives of hubs ---- */

enum { MOST_ACTORS = 64 };

struct crowd {
	struct gev_greenlet *gs[4096];
	size_t n;
};

static bool collect(struct gev_greenlet *g, void *arg)
{
	struct crowd *crowd = arg;
	check(crowd->n < 4096, "very many greenlets");
	crowd->gs[crowd->n++] = gev_ref(g);
	return true;
}

/* All are killed, and then everything that was to happen at an end has happened. */
static void tidy_up(struct life *life)
{
	struct crowd *crowd = calloc(1, sizeof *crowd);
	check(crowd != NULL, "no memory");
	world.rt->each(collect, crowd);
	check(gev_killall(crowd->gs, crowd->n, GEV_FOREVER) == 0, "killall: errno %d", errno);
	release_many(crowd->gs, crowd->n);
	gev_sleep(0.0001); /* the hub calls the links */
	check(world.rt->thread_count() == 1, "%zu greenlets are left", world.rt->thread_count());
	check(life->links == life->linked, "%u links, %u called", life->links, life->linked);
	check(life->defers == life->deferred, "%u defers, %u run", life->defers, life->deferred);
	free(crowd);
}

static void *live(void *arg)
{
	struct life *life = arg;
	struct doer me = {.rng = life->rng, .life = life, .on_hub = true};
	int *wanted = &world.wanted[life->number % HUBS];
	check(gev_sleep(0) == 0, "no hub: errno %d", errno);
	life->own = gev__identity_missing() == NULL;
	while (life->steps_left > 0) {
		if (__atomic_exchange_n(wanted, 0, __ATOMIC_ACQUIRE) || one_in(&me.rng, 2))
			for (unsigned n = below(&me.rng, 6); n && world.rt->thread_count() < MOST_ACTORS; n--)
				spawn_one(&me);
		if (world.rt->thread_count() >= MOST_ACTORS)
			life->steps_left--; /* nearly all may be asleep */
		gev_sleep(soon(&me));
	}
	while (life->begun != life->ended)
		gev_sleep(0.0002);
	if (one_in(&me.rng, 2))
		tidy_up(life);
	/* From here on nobody begins any more; who sleeps, or has not begun, stays behind. */
	__atomic_store_n(&life->over, true, __ATOMIC_RELEASE);
	return NULL;
}

static void *live_on(void *arg)
{
	enum { LIVES = 5 };
	intptr_t at = (intptr_t)arg;
	for (int i = 0; i < LIVES; i++) {
		struct life *life = &world.lives[1 + at + (intptr_t)i * HUBS];
		pthread_t t;
		life->number = (int)(life - world.lives);
		life->rng = (struct rng){world.seed * 31 + (uint64_t)life->number};
		life->steps_left = world.steps / LIVES;
		check(pthread_create(&t, NULL, live, life) == 0, "pthread_create");
		check(pthread_join(t, NULL) == 0, "pthread_join");
	}
	return NULL;
}

static void *be_plain(void *arg)
{
	struct doer me = {.rng = {world.seed * 131 + (uint64_t)(intptr_t)arg}, .life = &world.lives[0]};
	while (!__atomic_load_n(&world.over, __ATOMIC_ACQUIRE)) {
		step_answer(&me);
		step(&me);
		sched_yield();
	}
	return NULL;
}

static int count_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int n = 0;
	check(dir, "/proc/self/fd: errno %d", errno);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

static void parse(int argc, char **argv)
{
	world.seed = (uint64_t)time(NULL) ^ (uint64_t)getpid() << 32;
	for (int i = 1; i + 1 < argc; i += 2) {
		if (strcmp(argv[i], "--seed") == 0)
			world.seed = strtoull(argv[i + 1], NULL, 0);
		else if (strcmp(argv[i], "--steps") == 0)
			world.steps = strtol(argv[i + 1], NULL, 0);
		for (int f = 0; f < FAULTS && strcmp(argv[i], "--fault") == 0; f++)
			if (strcmp(argv[i + 1], fault_names[f]) == 0)
				world.fault = (enum fault)f;
	}
	snprintf(again, sizeof again, "%s --seed %" PRIu64 " --steps %ld%s%s", argv[0], world.seed, world.steps,
		 world.fault ? " --fault " : "", world.fault ? fault_names[world.fault] : "");
}

int main(int argc, char **argv)
{
	enum { PATIENCE_S = 120 };
	pthread_t hubs[HUBS], plain[PLAIN];
	parse(argc, argv);
	signal(SIGALRM, too_long);
	alarm(PATIENCE_S);
	world.rt = gev_embed_v1();
	int before = count_descriptors();
	things_begin();
	for (intptr_t i = 0; i < HUBS; i++)
		check(pthread_create(&hubs[i], NULL, live_on, (void *)i) == 0, "pthread_create");
	for (intptr_t i = 0; i < PLAIN; i++)
		check(pthread_create(&plain[i], NULL, be_plain, (void *)i) == 0, "pthread_create");
	for (int i = 0; i < HUBS; i++)
		pthread_join(hubs[i], NULL);
	__atomic_store_n(&world.over, true, __ATOMIC_RELEASE);
	for (int i = 0; i < PLAIN; i++)
		pthread_join(plain[i], NULL);
	handles_end();
	things_end();
	int after = count_descriptors();
	check(after == before, "%d descriptors, %d before", after, before);
	printf("%s: %" PRIu64 " greenlets\n", again, world.serials);
	return 0;
}
