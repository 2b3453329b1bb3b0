/* Hubs come and go with greenlets alive, while other OS threads wake, and fork is prepared: nothing touches what is gone. */
#include "hubs.h"

#include "lib/base/clock.h"
#include "lib/core/lot.h"

enum { LIVES = 60, GREENLETS = 6 };

static int places[GREENLETS];
static bool enough;
static int begun, ended;

static void *wait_here(void *arg)
{
	int mine = __atomic_fetch_add(&begun, 1, __ATOMIC_RELAXED);
	/* Most never end: their hub's OS thread does. */
	for (int i = 0; i < 3 || mine % 3; i++)
		gev__lot_wait(&places[mine % GREENLETS], NULL, NULL, NULL, GEV_NEVER, 0, NULL);
	__atomic_add_fetch(&ended, 1, __ATOMIC_RELAXED);
	return NULL;
}

static void *wake_them(void *arg)
{
	while (!__atomic_load_n(&enough, __ATOMIC_RELAXED)) {
		for (int i = 0; i < GREENLETS; i++)
			gev__lot_wake(&places[i], 1, 0);
		sched_yield();
	}
	return NULL;
}

static void look_at(void *arg, const struct gev_greenlet *g, const void *addr, unsigned kind)
{
	*(long *)arg += g != NULL;
}

static void *observe(void *arg)
{
	static long seen;
	while (!__atomic_load_n(&enough, __ATOMIC_RELAXED)) {
		gev__lot_each(look_at, &seen);
		sched_yield();
	}
	return NULL;
}

static void *live_once(void *arg)
{
	bool own = gev__identity_missing() == NULL;
	for (int i = 0; i < GREENLETS; i++) {
		struct gev_spawn_attr attr = {.identity = i % 2 && own ? GEV_IDENTITY_OWN : GEV_IDENTITY_SHARED};
		struct gev_greenlet *g = gev_spawn_with(&attr, wait_here, NULL);
		must(g != NULL);
		gev_release(g);
	}
	must(gev_sleep(0.0005) == 0);
	return NULL;
}

static void *live_often(void *arg)
{
	for (int i = 0; i < LIVES; i++)
		on_threads(1, live_once, NULL);
	return NULL;
}

int main(void)
{
	pthread_t waker, observer;
	give_up_after(120);
	must(pthread_create(&waker, NULL, wake_them, NULL) == 0);
	must(pthread_create(&observer, NULL, observe, NULL) == 0);
	on_threads(3, live_often, NULL);
	__atomic_store_n(&enough, true, __ATOMIC_RELAXED);
	must(pthread_join(waker, NULL) == 0 && pthread_join(observer, NULL) == 0);
	must(begun > 0 && ended <= begun);
	return 0;
}
