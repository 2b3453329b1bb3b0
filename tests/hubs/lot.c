/* The parking lot between hubs: a mutex, a condition and a hand-over built on it guard plain data, which greenlets of several hubs and plain OS threads
 * share. A lost wake hangs, a broken exclusion miscounts, and a missing happens-before is ThreadSanitizer's to report. */
#include "hubs.h"

#include <limits.h>

#include "lib/base/clock.h"
#include "lib/core/lot.h"

enum { HUBS = 3, PLAIN = 2, GREENLETS = 4, TURNS = 2000 };

/* ---- A mutex: 0 free, 1 held, 2 held and perhaps waited for ---- */

static int word;

static bool is_contended(void *arg)
{
	return __atomic_load_n((int *)arg, __ATOMIC_RELAXED) == 2;
}

static void lock(int *mutex)
{
	int free_now = 0;
	if (__atomic_compare_exchange_n(mutex, &free_now, 1, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
		return;
	while (__atomic_exchange_n(mutex, 2, __ATOMIC_ACQUIRE) != 0)
		gev__lot_wait(mutex, is_contended, NULL, mutex, GEV_NEVER, 0, NULL);
}

static void unlock(void *arg)
{
	int *mutex = arg;
	if (__atomic_exchange_n(mutex, 0, __ATOMIC_RELEASE) == 2)
		gev__lot_wake(mutex, 1, 0);
}

static long counted;
static bool inside;

static void *count(void *arg)
{
	for (int i = 0; i < TURNS; i++) {
		lock(&word);
		must(!inside);
		inside = true;
		counted++;
		if (i % 64 == 0 && arg)
			gev_yield(); /* with the mutex held, so that others queue */
		inside = false;
		unlock(&word);
	}
	return NULL;
}

static void *count_in_greenlets(void *arg)
{
	in_greenlets(GREENLETS, count, &word);
	return NULL;
}

/* ---- A bounded buffer: conditions with requeue ---- */

enum { ROOM = 5 };
static long buffer[ROOM];
static int filled, buffer_lock, not_empty, not_full;
static long put_sum, got_sum, still_to_get;

static void wait_on(int *condition)
{
	/* The bucket is locked from the queueing on, and the mutex let go only then: no signal is lost between. */
	gev__lot_wait(condition, NULL, unlock, &buffer_lock, GEV_NEVER, 0, NULL);
	lock(&buffer_lock);
}

static void signal_one(int *condition)
{
	gev__lot_wake(condition, 1, 0);
}

static void *produce(void *arg)
{
	for (long i = 1; i <= TURNS; i++) {
		lock(&buffer_lock);
		while (filled == ROOM)
			wait_on(&not_full);
		buffer[filled++] = i;
		put_sum += i;
		signal_one(&not_empty);
		unlock(&buffer_lock);
	}
	return NULL;
}

static void *consume(void *arg)
{
	for (;;) {
		lock(&buffer_lock);
		while (filled == 0 && still_to_get > 0)
			wait_on(&not_empty);
		if (still_to_get == 0) {
			unlock(&buffer_lock);
			/* Wakes the others too, who wait for more that will not come; through the mutex's queue, as a broadcast does. */
			gev__lot_requeue(&not_empty, &buffer_lock, 1, INT_MAX, NULL, NULL, 0);
			gev__lot_wake(&buffer_lock, INT_MAX, 0);
			return NULL;
		}
		got_sum += buffer[--filled];
		still_to_get--;
		signal_one(&not_full);
		unlock(&buffer_lock);
	}
}

static void *produce_in_greenlets(void *arg)
{
	in_greenlets(GREENLETS, produce, NULL);
	return NULL;
}

static void *consume_in_greenlets(void *arg)
{
	in_greenlets(GREENLETS, consume, NULL);
	return NULL;
}

/* ---- A token carries plain data ---- */

struct parcel {
	long value;
	char filling[64];
};

static int post, received;

static void *receive(void *arg)
{
	uintptr_t token = 0;
	must(gev__lot_wait(&post, NULL, NULL, NULL, GEV_NEVER, 0, &token) == 0);
	struct parcel *parcel = (struct parcel *)token;
	must(parcel->value == 4711);
	parcel->value = 0;
	free(parcel);
	__atomic_add_fetch(&received, 1, __ATOMIC_RELAXED);
	return NULL;
}

static void *receive_in_greenlets(void *arg)
{
	for (int i = 0; i < 50; i++)
		in_greenlets(GREENLETS, receive, NULL);
	return NULL;
}

static void *send_all(void *arg)
{
	for (int sent = 0; sent < HUBS * GREENLETS * 50;) {
		struct parcel *parcel = calloc(1, sizeof *parcel);
		must(parcel != NULL);
		parcel->value = 4711;
		if (gev__lot_wake(&post, 1, (uintptr_t)parcel) == 1) {
			sent++;
		} else {
			free(parcel);
			sched_yield();
		}
	}
	return NULL;
}

/* ---- Waits that time out while somebody wakes them ---- */

static int near;
static long woken, chosen;

static void *wait_a_little(void *arg)
{
	for (int i = 0; i < TURNS; i++)
		if (gev__lot_wait(&near, NULL, NULL, NULL, gev__now() + (i % 7) * 3000, 0, NULL) == 0)
			__atomic_add_fetch(&woken, 1, __ATOMIC_RELAXED);
	return NULL;
}

static void *wait_a_little_in_greenlets(void *arg)
{
	in_greenlets(GREENLETS, wait_a_little, NULL);
	return NULL;
}

static void *wake_all_the_time(void *arg)
{
	while (!__atomic_load_n((bool *)arg, __ATOMIC_RELAXED)) {
		__atomic_add_fetch(&chosen, gev__lot_wake(&near, 2, 0), __ATOMIC_RELAXED);
		sched_yield(); /* under valgrind one thread runs at a time: one that spins is taken off with the bucket locked, nearly always */
	}
	return NULL;
}

struct crew {
	int n;
	void *(*fn)(void *);
	void *arg;
};

static void *run_crew(void *arg)
{
	const struct crew *crew = arg;
	on_threads(crew->n, crew->fn, crew->arg);
	return NULL;
}

/* Both at once. */
static void together(struct crew *a, struct crew *b)
{
	pthread_t t;
	must(pthread_create(&t, NULL, run_crew, a) == 0);
	run_crew(b);
	must(pthread_join(t, NULL) == 0);
}

int main(void)
{
	give_up_after(120);
	together(&(struct crew){HUBS, count_in_greenlets, NULL}, &(struct crew){PLAIN, count, NULL});
	must(counted == (HUBS * GREENLETS + PLAIN) * TURNS);

	still_to_get = HUBS * GREENLETS * TURNS;
	together(&(struct crew){HUBS, produce_in_greenlets, NULL}, &(struct crew){2, consume_in_greenlets, NULL});
	must(filled == 0 && put_sum == got_sum);

	together(&(struct crew){HUBS, receive_in_greenlets, NULL}, &(struct crew){1, send_all, NULL});
	must(received == HUBS * GREENLETS * 50);

	static bool enough;
	pthread_t waker;
	must(pthread_create(&waker, NULL, wake_all_the_time, &enough) == 0);
	together(&(struct crew){HUBS, wait_a_little_in_greenlets, NULL}, &(struct crew){PLAIN, wait_a_little, NULL});
	__atomic_store_n(&enough, true, __ATOMIC_RELAXED);
	must(pthread_join(waker, NULL) == 0);
	/* Whoever is chosen returns 0, and nobody else does. */
	must(woken == chosen);
	return 0;
}
