/* FUTEX_WAIT_BITSET with other bits than FUTEX_BITSET_MATCH_ANY: a rare thing, so the parking lot knows nothing of it.
 *
 *      list -> waiter -> waiter -> ...        FIFO, all words together, under one lock
 *
 * Each waits in the lot under the address of his own record. Who takes a waiter off the list marks him, and may then wake
 * him at leisure: by then he may be gone, and somebody else's record lie at that address, who finds no mark and waits on. */
#include "shim/pthread/futex_bits.h"

#include <sys/queue.h>

#include "shim/base/lock.h"
#include "shim/pthread/thread.h"

struct waiter {
	const uint32_t *word;
	uint32_t expected;
	uint32_t bits;
	bool woken; /* atomic: off the list */
	TAILQ_ENTRY(waiter) link;
};

static TAILQ_HEAD(, waiter) list = TAILQ_HEAD_INITIALIZER(list);
static struct patch_lock lock;

/* Whether it was still on the list. */
static bool take_off(struct waiter *w)
{
	patch_lock(&lock);
	bool found = !w->woken;
	if (found)
		TAILQ_REMOVE(&list, w, link);
	patch_unlock(&lock);
	return found;
}

static bool asleep(void *arg)
{
	struct waiter *w = arg;
	return !__atomic_load_n(&w->woken, __ATOMIC_ACQUIRE);
}

int patch_bits_wait(const uint32_t *word, uint32_t expected, uint32_t bits, int64_t deadline, unsigned flags)
{
	struct waiter w = {.word = word, .expected = expected, .bits = bits};
	patch_lock(&lock);
	/* First on the list, then the look: who changes the word looks at the list afterwards. */
	TAILQ_INSERT_TAIL(&list, &w, link);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	bool as_expected = __atomic_load_n(word, __ATOMIC_SEQ_CST) == expected;
	if (!as_expected)
		TAILQ_REMOVE(&list, &w, link);
	patch_unlock(&lock);
	if (!as_expected)
		return -EAGAIN;
	for (;;) {
		int r = patch_gev->lot_wait(&w, asleep, NULL, &w, deadline, flags, NULL);
		if (r == -EAGAIN)
			return 0;
		if (r < 0)
			return take_off(&w) ? r : 0;
	}
}

int patch_bits_wake(const uint32_t *word, int n, uint32_t bits)
{
	int woken = 0;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	while (woken < n && __atomic_load_n(&list.tqh_first, __ATOMIC_RELAXED)) {
		struct waiter *w;
		patch_lock(&lock);
		TAILQ_FOREACH(w, &list, link)
			if (w->word == word && (w->bits & bits))
				break;
		if (w) {
			TAILQ_REMOVE(&list, w, link);
			__atomic_store_n(&w->woken, true, __ATOMIC_RELEASE);
		}
		patch_unlock(&lock);
		if (w == NULL)
			break;
		patch_gev->lot_wake(w, 1, 0);
		woken++;
	}
	return woken;
}

void patch_bits_forked(void)
{
	TAILQ_INIT(&list);
	lock = (struct patch_lock){0};
}
