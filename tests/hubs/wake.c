/* Park and wake between OS threads: a ring of greenlets on several hubs hands plain data round, through hubs that run, sleep on their futex or in libev. */
#include "hubs.h"

#include "lib/core/park.h"

enum { HUBS = 4, GREENLETS = 8, RING = HUBS * GREENLETS, ROUNDS = 200 };

static struct place {
	struct gev_greenlet *g; /* atomic: it has arrived */
	bool turn;              /* atomic */
	long data;              /* plain: the neighbour writes it before he wakes */
} ring[RING];

static int next_place, through;

static void *carry(void *arg)
{
	int here = __atomic_fetch_add(&next_place, 1, __ATOMIC_RELAXED);
	struct place *me = &ring[here], *next = &ring[(here + 1) % RING];
	__atomic_store_n(&me->g, gev_self(), __ATOMIC_RELEASE);
	while (__atomic_load_n(&next->g, __ATOMIC_ACQUIRE) == NULL)
		must(gev_sleep(0.0001) == 0);
	for (int i = 0; i < ROUNDS; i++) {
		if (here != 0 || i != 0) {
			while (!__atomic_exchange_n(&me->turn, false, __ATOMIC_ACQUIRE))
				gev__park(GEV_NEVER, 0);
			must(me->data == (long)i * RING + here);
		}
		if (here == RING - 1 && i == ROUNDS - 1)
			break;
		next->data = me->data + 1;
		__atomic_store_n(&next->turn, true, __ATOMIC_RELEASE);
		gev__wake(next->g);
	}
	/* A greenlet must be there as long as anybody wakes it: nobody ends before all have woken for the last time. */
	__atomic_add_fetch(&through, 1, __ATOMIC_ACQ_REL);
	while (__atomic_load_n(&through, __ATOMIC_ACQUIRE) < RING)
		must(gev_sleep(0.0001) == 0);
	return NULL;
}

static void *hub_in_libev(void *arg)
{
	int fds[2];
	char c;
	must(pipe(fds) == 0);
	/* A descriptor that was waited for: this hub has a loop and sleeps in it. */
	must(gev_read(fds[0], &c, 1, 0.0001) == -1);
	in_greenlets(GREENLETS, carry, NULL);
	must(gev_close(fds[0]) == 0 && gev_close(fds[1]) == 0);
	return NULL;
}

static void *hub_on_its_futex(void *arg)
{
	in_greenlets(GREENLETS, carry, NULL);
	return NULL;
}

/* ---- Messages through descriptors: hubs that share nothing but the kernel ---- */

static int there[2], back[2];

static void *echo(void *arg)
{
	char c;
	while (gev_read(there[0], &c, 1, GEV_FOREVER) == 1)
		must(gev_write(back[1], &c, 1, GEV_FOREVER) == 1);
	return NULL;
}

static void *ask(void *arg)
{
	for (int i = 0; i < 2000; i++) {
		char c = (char)i, d = 0;
		must(gev_write(there[1], &c, 1, GEV_FOREVER) == 1);
		must(gev_read(back[0], &d, 1, GEV_FOREVER) == 1 && c == d);
	}
	must(gev_close(there[1]) == 0);
	return NULL;
}

int main(void)
{
	pthread_t a, b;
	give_up_after(120);
	must(pthread_create(&a, NULL, hub_in_libev, NULL) == 0);
	must(pthread_create(&b, NULL, hub_in_libev, NULL) == 0);
	on_threads(HUBS - 2, hub_on_its_futex, NULL);
	must(pthread_join(a, NULL) == 0 && pthread_join(b, NULL) == 0);
	must(next_place == RING);

	must(pipe(there) == 0 && pipe(back) == 0);
	must(pthread_create(&a, NULL, echo, NULL) == 0);
	must(pthread_create(&b, NULL, ask, NULL) == 0);
	must(pthread_join(a, NULL) == 0 && pthread_join(b, NULL) == 0);
	return 0;
}
