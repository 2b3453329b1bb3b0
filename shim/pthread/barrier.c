/* Barriers.
 *
 * libc's object, and one word of ours in the room behind what libc uses: how many have arrived in this round. The
 * last of a round wakes all the others, and they are the longest waiters: whoever arrives for the next round stands
 * behind them in the queue. So the object is not touched after the round is over, and may be destroyed by whoever
 * returns first.
 *
 * Barriers shared between processes are libc's, as all are before the runtime has started: for a greenlet a real thread
 * waits there (aside.h).
 */
#include <string.h>

#include "shim/base/log.h"
#include "shim/pthread/aside.h"

/* nptl/internaltypes.h, struct pthread_barrier: in, current_round, count, shared, out. */
enum { COUNT = 2, SHARED = 3, LIBC_WORDS = 5, ARRIVED = 6 };
_Static_assert(sizeof(pthread_barrier_t) == 8 * sizeof(uint32_t), "room for our word");

static uint32_t *words(pthread_barrier_t *b)
{
	return (uint32_t *)(void *)b;
}

int patch_pthread_barrier_init(pthread_barrier_t *b, const pthread_barrierattr_t *attr, unsigned count)
{
	int r = real.pthread_barrier_init(b, attr, count);
	if (r == 0)
		memset(words(b) + LIBC_WORDS, 0, sizeof *b - LIBC_WORDS * sizeof(uint32_t));
	return r;
}
EXPORT(pthread_barrier_init);

int patch_pthread_barrier_destroy(pthread_barrier_t *b)
{
	if (__atomic_load_n(&words(b)[ARRIVED], __ATOMIC_RELAXED))
		return EBUSY;
	return real.pthread_barrier_destroy(b);
}
EXPORT(pthread_barrier_destroy);

struct arriving {
	pthread_barrier_t *b;
	uint32_t count;
	bool last;
};

/* Under the lock of the queue. */
static bool arrive(void *arg)
{
	struct arriving *a = arg;
	a->count = words(a->b)[COUNT];
	a->last = ++words(a->b)[ARRIVED] == a->count;
	if (a->last)
		words(a->b)[ARRIVED] = 0;
	return !a->last;
}

struct shared_wait {
	struct patch_aside aside;
	pthread_barrier_t *b;
	int result;
};

static void wait_in_libc(struct patch_aside *a)
{
	struct shared_wait *w = (struct shared_wait *)(void *)a;
	w->result = real.pthread_barrier_wait(w->b);
}

static int wait_shared(pthread_barrier_t *b)
{
	struct shared_wait w = {.aside.call = wait_in_libc, .b = b};
	if (patch_self() == NULL || words(b)[COUNT] == 1)
		return real.pthread_barrier_wait(b);
	if (patch_aside(&w.aside, GEV_PARK_PLAIN | GEV_ON_BARRIER) == 0)
		return w.result;
	patch_say_once("no thread for a barrier shared between processes: it stops all of this one");
	return real.pthread_barrier_wait(b);
}

int patch_pthread_barrier_wait(pthread_barrier_t *b)
{
	if (!patch_started)
		return real.pthread_barrier_wait(b);
	if (words(b)[SHARED])
		return wait_shared(b);
	struct arriving a = {.b = b};
	patch_gev->lot_wait(b, arrive, NULL, &a, GEV_NEVER, GEV_PARK_PLAIN | GEV_ON_BARRIER, NULL);
	if (!a.last)
		return 0;
	if (a.count > 1)
		patch_gev->lot_wake(b, (int)a.count - 1, 0);
	return PTHREAD_BARRIER_SERIAL_THREAD;
}
EXPORT(pthread_barrier_wait);
