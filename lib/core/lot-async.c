/* The parking lot for signal handlers.
 *
 * A handler may have interrupted whoever holds the bucket's lock on this very OS thread. So it only tries the lock; if it is held, it leaves a note and
 * a mark on the bucket, and whoever holds it reads the notes once he has given it back. */
#include <linux/membarrier.h>

#include "lib/base/log.h"
#include "lib/core/hub.h"
#include "lib/core/lot-queue.h"
#include "lib/core/lot.h"

/* A wake that is yet to be done: `count` times lot_wake_one(addr, decide, addr).
 *
 *      state   generation << 32 | count        free: count 0        being filled: count FILLING
 *
 * The generation changes whenever a note is taken, so that one more can be added to it by one step only while it is still the same. */
struct note {
	uint64_t state;
	const void *addr;
	uintptr_t (*decide)(void *arg, bool woken, bool more);
};
enum { NOTES = 64 };
#define FILLING UINT32_MAX
static struct note notes[NOTES];

static uint64_t next_generation(uint64_t state, uint32_t count)
{
	return ((state >> 32) + 1) << 32 | count;
}

static bool add_to(struct note *n, const void *addr, uintptr_t (*decide)(void *, bool, bool))
{
	uint64_t state = __atomic_load_n(&n->state, __ATOMIC_ACQUIRE);
	do {
		uint32_t count = (uint32_t)state;
		if (count == 0 || count >= FILLING - 1 || __atomic_load_n(&n->addr, __ATOMIC_RELAXED) != addr ||
		    __atomic_load_n(&n->decide, __ATOMIC_RELAXED) != decide)
			return false;
	} while (!__atomic_compare_exchange_n(&n->state, &state, state + 1, false, __ATOMIC_SEQ_CST, __ATOMIC_ACQUIRE));
	return true;
}

static bool fill(struct note *n, const void *addr, uintptr_t (*decide)(void *, bool, bool))
{
	uint64_t state = __atomic_load_n(&n->state, __ATOMIC_ACQUIRE);
	if ((uint32_t)state != 0 ||
	    !__atomic_compare_exchange_n(&n->state, &state, state | FILLING, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
		return false;
	__atomic_store_n(&n->addr, addr, __ATOMIC_RELAXED);
	__atomic_store_n(&n->decide, decide, __ATOMIC_RELAXED);
	__atomic_store_n(&n->state, next_generation(state, 1), __ATOMIC_SEQ_CST);
	return true;
}

static void take_note(const void *addr, uintptr_t (*decide)(void *, bool, bool))
{
	for (int i = 0; i < NOTES; i++)
		if (add_to(&notes[i], addr, decide))
			return;
	for (int i = 0; i < NOTES; i++)
		if (fill(&notes[i], addr, decide))
			return;
	gev__die("signal handlers woke more than %d addresses while one lock was held", NOTES);
}

/* Takes one note of this bucket; how many wakes it stands for. */
static uint32_t read_note(const struct bucket *b, struct note *n, const void **addr,
			  uintptr_t (**decide)(void *, bool, bool))
{
	uint64_t state = __atomic_load_n(&n->state, __ATOMIC_ACQUIRE);
	for (;;) {
		uint32_t count = (uint32_t)state;
		*addr = __atomic_load_n(&n->addr, __ATOMIC_RELAXED);
		*decide = __atomic_load_n(&n->decide, __ATOMIC_RELAXED);
		if (count == 0 || count == FILLING || bucket_of(*addr) != b)
			return 0;
		if (__atomic_compare_exchange_n(&n->state, &state, next_generation(state, 0), false, __ATOMIC_SEQ_CST,
						__ATOMIC_ACQUIRE))
			return count;
	}
}

/* As lot_wake_one, with the lock held, wherever we are: the hub may be in the middle of anything, so a greenlet is told through its inbox. */
static void wake_from_anywhere(struct bucket *b, const void *addr, uintptr_t (*decide)(void *, bool, bool))
{
	void *arg = (void *)(uintptr_t)addr;
	struct waiter *w = first_under(b->head, addr);
	if (w == NULL) {
		decide(arg, false, false);
		return;
	}
	struct gev_greenlet *g = w->g;
	unlink_waiter(b, w);
	w->token = decide(arg, true, first_under(w->next, addr) != NULL);
	w->from_afar = g != NULL;
	uint32_t *word = &w->chosen;
	__atomic_store_n(word, 1, __ATOMIC_RELEASE);
	if (g)
		gev__hub_post(g->hub, g);
	else
		wake_thread(word);
}

void gev__lot_carry_out(struct bucket *b)
{
	int saved = errno;
	/* Who holds it now, if not we, comes here later. */
	while (__atomic_load_n(&b->noted, __ATOMIC_SEQ_CST) && gev__trylock(&b->lock)) {
		const void *addr;
		uintptr_t (*decide)(void *, bool, bool);
		__atomic_store_n(&b->noted, false, __ATOMIC_SEQ_CST);
		for (int i = 0; i < NOTES; i++)
			for (uint32_t n = read_note(b, &notes[i], &addr, &decide); n > 0; n--)
				wake_from_anywhere(b, addr, decide);
		gev__unlock(&b->lock);
		__atomic_signal_fence(__ATOMIC_SEQ_CST);
	}
	errno = saved;
}

/* Orders what every thread of the process has done against what it does next (membarrier(2)). Without it: as well as can be done by waiting. */
static void barrier_everywhere(const struct bucket *b)
{
	enum { TRIES = 1000 };
	if (gev__sys.syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0, 0, 0, 0) == 0)
		return;
	for (int i = 0; i < TRIES && __atomic_load_n(&b->lock.held, __ATOMIC_RELAXED); i++)
		gev__sys.sched_yield();
}

void gev__lot_wake_one_async(const void *addr, uintptr_t (*decide)(void *arg, bool woken, bool more))
{
	struct bucket *b = bucket_of(addr);
	int saved = errno;
	if (gev__trylock(&b->lock)) {
		wake_from_anywhere(b, addr, decide);
		give_back(b);
	} else {
		take_note(addr, decide);
		__atomic_store_n(&b->noted, true, __ATOMIC_SEQ_CST);
		barrier_everywhere(b);
		gev__lot_carry_out(b);
	}
	errno = saved;
}

void gev__lot_start(void)
{
	gev__sys.syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0, 0, 0, 0);
}

void gev__lot_notes_forked(void)
{
	for (int i = 0; i < NOTES; i++)
		notes[i] = (struct note){0};
}
