/* Who gets a mutex.
 *
 * The word is the __lock of the program's own object; FREE, HELD and WANTED are libc's 0, 1 and 2, so libc's lock can
 * wait on it too.
 *
 * Invariant: if somebody waits in the lot, __lock is WANTED or QUEUED, or one who was woken is on his way and will
 * make it so.
 *
 * Who gets it next. Threads switch only where they wait, so somebody queues behind a mutex only if its holder waited
 * while he held it, or has been handed it and has not run yet.
 *   - The holder waited (WANTED at unlock, or he has held it for long): it is handed to the longest waiter. Loops of
 *     lock, sleep, unlock take turns in strict order.
 *   - He did not: the mutex is left free, and the longest waiter is woken to take it if it is still free when he
 *     runs. Were it handed over here too, one wait under a popular lock would make a convoy that never ends: while
 *     the next owner stands in the ready queue everybody else runs into the mutex and queues, and every lock that
 *     would have met a free mutex becomes a switch, for ever.
 *   - One who was woken and finds it taken has been passed over. He queues again and is counted; while anybody is,
 *     every unlock hands over. So nobody starves, not even beside `lock; unlock; lock; wait; unlock` in a loop.
 *
 * Before the runtime has started libc's own lock waits, on the same word: nothing changes for a program without green
 * threads.
 */
#include "shim/pthread/mutex_word.h"

#include <linux/futex.h>

#include "shim/pthread/until.h"

/* What a waiter is told. */
enum { HANDED, LEFT_TO_LAST, LEFT_TO_ONE_OF_MANY };

int patch_native_waiters;

static int *word_of(pthread_mutex_t *m)
{
	return &m->__data.__lock;
}

/* How many wait who have been passed over. libc uses this field for robust and priority kinds only. */
static uintptr_t *passed_over(pthread_mutex_t *m)
{
	return (uintptr_t *)(void *)&m->__data.__list.__prev;
}

/* When the holder began to run with it. Written by him when he comes out of the queue and leaves others in it. */
static int64_t *held_since(pthread_mutex_t *m)
{
	_Static_assert(sizeof m->__data.__list.__next == sizeof(int64_t), "room for a time");
	return (int64_t *)(void *)&m->__data.__list.__next;
}

/* Whoever came out of the queue has the mutex, and runs. Those who have queued until now did not do so because he
 * waits. */
static void begin(pthread_mutex_t *m)
{
	int *word = word_of(m);
	int wanted = PATCH_WORD_WANTED;
	__atomic_compare_exchange_n(word, &wanted, PATCH_WORD_QUEUED, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
	if (__atomic_load_n(word, __ATOMIC_RELAXED) != PATCH_WORD_HELD)
		*held_since(m) = patch_now();
}

static bool holder_waited(pthread_mutex_t *m)
{
	/* Long against a switch, short against any wait for the outside. */
	enum { LONG = 20000 };
	if (__atomic_load_n(word_of(m), __ATOMIC_RELAXED) == PATCH_WORD_WANTED)
		return true;
	return patch_now() - *held_since(m) > LONG;
}

static bool still_wanted(void *arg)
{
	return __atomic_load_n((int *)arg, __ATOMIC_RELAXED) == PATCH_WORD_WANTED;
}

int patch_word_wait(pthread_mutex_t *m, int64_t deadline)
{
	int *word = word_of(m);
	bool insists = false, woken = false;
	int as = PATCH_WORD_HELD, r;
	for (;;) {
		int seen = PATCH_WORD_FREE;
		if (__atomic_compare_exchange_n(word, &seen, as, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) {
			r = 0;
			break;
		}
		if (woken && !insists) {
			insists = true;
			__atomic_fetch_add(passed_over(m), 1, __ATOMIC_RELAXED);
		}
		if (seen != PATCH_WORD_WANTED && !__atomic_compare_exchange_n(word, &seen, PATCH_WORD_WANTED, false,
									      __ATOMIC_RELAXED, __ATOMIC_RELAXED))
			continue;
		uintptr_t told;
		r = patch_gev->lot_wait(m, still_wanted, NULL, word, deadline, GEV_PARK_PLAIN | GEV_ON_MUTEX, &told);
		if (r == -EAGAIN)
			continue;
		if (r < 0 || told == HANDED)
			break;
		woken = true;
		as = told == LEFT_TO_LAST ? PATCH_WORD_HELD : PATCH_WORD_QUEUED;
	}
	if (r == 0)
		begin(m);
	if (insists)
		__atomic_fetch_sub(passed_over(m), 1, __ATOMIC_RELAXED);
	return r;
}

/* Under the lock of the waiters' queue. Nothing may be read of the object after the word has changed: the next owner
 * may free it. */
static uintptr_t pass_on(void *arg, bool woken, bool more)
{
	pthread_mutex_t *m = arg;
	int *word = word_of(m);
	if (!woken) {
		__atomic_store_n(word, PATCH_WORD_FREE, __ATOMIC_RELEASE);
		return 0;
	}
	if (__atomic_load_n(&patch_native_waiters, __ATOMIC_RELAXED))
		more = true; /* they look at the word only when it is freed */
	if (__atomic_load_n(passed_over(m), __ATOMIC_RELAXED) || holder_waited(m)) {
		__atomic_store_n(word, more ? PATCH_WORD_QUEUED : PATCH_WORD_HELD, __ATOMIC_RELEASE);
		return HANDED;
	}
	__atomic_store_n(word, PATCH_WORD_FREE, __ATOMIC_RELEASE);
	return more ? LEFT_TO_ONE_OF_MANY : LEFT_TO_LAST;
}

void patch_word_give_slow(pthread_mutex_t *m)
{
	int *word = word_of(m);
	int saved = errno;
	if (!__atomic_load_n(&patch_started, __ATOMIC_ACQUIRE)) {
		__atomic_exchange_n(word, PATCH_WORD_FREE, __ATOMIC_SEQ_CST);
		patch_wake_native(word, FUTEX_WAKE_PRIVATE);
		/* Started meanwhile, by main: then somebody may have queued in the lot before the exchange. */
		if (__atomic_load_n(&patch_started, __ATOMIC_SEQ_CST))
			patch_gev->lot_wake(m, 1, LEFT_TO_ONE_OF_MANY);
	} else if (!patch_gev->lot_wake_one(m, pass_on, m) &&
		   unlikely(__atomic_load_n(&patch_native_waiters, __ATOMIC_SEQ_CST))) {
		patch_wake_native(word, FUTEX_WAKE_PRIVATE);
	}
	errno = saved;
}
