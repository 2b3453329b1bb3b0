/* FUTEX_WAIT_BITSET with other bits than FUTEX_BITSET_MATCH_ANY: a rare thing, so the parking lot knows nothing of it.
 *
 *      list -> waiter -> waiter -> ...        FIFO, all words together, under one lock
 *
 * Each waits in the lot under the address of his own record. Who takes a waiter off the list marks him, and may then wake
 * him at leisure: by then he may be gone, and somebody else's record lie at that address, who finds no mark and waits on. */
#include "shim/pthread/futex_bits.h"

#include "shim/base/lock.h"
#include "shim/pthread/thread.h"

struct waiter {
	const uint32_t *word;
	uint32_t expected;
	uint32_t bits;
	bool woken; /* atomic */
	struct waiter *next;
};

static struct waiter *list;
static struct patch_lock lock;

static void push(struct waiter *w)
{
	struct waiter **at = &list;
	while (*at)
		at = &(*at)->next;
	w->next = NULL;
	__atomic_store_n(at, w, __ATOMIC_SEQ_CST);
}

/* Whether it was still there. Locked. */
static bool remove_waiter(struct waiter *w)
{
	struct waiter **at = &list;
	while (*at && *at != w)
		at = &(*at)->next;
	if (*at == NULL)
		return false;
	*at = w->next;
	return true;
}

static bool take_off(struct waiter *w)
{
	patch_lock(&lock);
	bool found = remove_waiter(w);
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
	push(&w);
	bool as_expected = __atomic_load_n(word, __ATOMIC_SEQ_CST) == expected;
	if (!as_expected)
		remove_waiter(&w);
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
	while (woken < n && __atomic_load_n(&list, __ATOMIC_SEQ_CST)) {
		patch_lock(&lock);
		struct waiter **at = &list;
		while (*at && !((*at)->word == word && ((*at)->bits & bits)))
			at = &(*at)->next;
		struct waiter *w = *at;
		if (w) {
			*at = w->next;
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
	list = NULL;
	lock = (struct patch_lock){0};
}
