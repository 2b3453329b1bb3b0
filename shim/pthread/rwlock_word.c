/* Who gets a read-write lock.
 *
 * The state is one word of the program's own object, zero when free, as libc's initialisers leave it:
 *
 *      bits 0-27   READERS         how many read
 *      bit 28      WRITER          one writes
 *      bit 29      READERS_WAIT    the queue of readers may not be empty
 *      bit 30      WRITERS_WAIT    the queue of writers may not be empty
 *
 * Readers queue in the lot under the object's address, writers 8 bytes above. Invariant: each of the last two bits is
 * set by a waiter under the lock of his queue before he is in it, and cleared under that lock only, when the queue
 * has become empty.
 *
 * Who leaves the lock last does not free it while somebody waits: he hands it over, so nobody who comes later gets in
 * between. After a writer the readers come first, all of them, then the writers: with libc's default kind a reader
 * that comes while another reads does not wait for a writer that waits (recursive read locks need that). With
 * PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP he does, and writers come first. PTHREAD_RWLOCK_PREFER_WRITER_NP is
 * the default kind to libc, and here.
 */
#include "shim/pthread/rwlock_word.h"

#include <limits.h>

#include "shim/base/log.h"
#include "shim/pthread/until.h"

#define READERS 0x0fffffffU
#define WRITER 0x10000000U
#define READERS_WAIT 0x20000000U
#define WRITERS_WAIT 0x40000000U

/* What a waiter is told. */
enum { HANDED, LOOK_AGAIN };

static inline uint32_t *word_of(pthread_rwlock_t *l)
{
	return &l->__data.__readers;
}

static const void *readers_of(pthread_rwlock_t *l)
{
	return l;
}

static const void *writers_of(pthread_rwlock_t *l)
{
	return (char *)l + 8;
}

static bool writers_first(const pthread_rwlock_t *l)
{
	return l->__data.__flags == PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP;
}

/* The lock with one more reader; the same word if a reader must wait. */
static uint32_t with_reader(const pthread_rwlock_t *l, uint32_t word)
{
	if ((word & WRITER) || ((word & WRITERS_WAIT) && writers_first(l)))
		return word;
	return word + 1;
}

static uint32_t with_writer(const pthread_rwlock_t *l, uint32_t word)
{
	return word & (WRITER | READERS) ? word : word | WRITER;
}

typedef uint32_t with(const pthread_rwlock_t *l, uint32_t word);

static inline int try_lock(pthread_rwlock_t *l, with *as)
{
	uint32_t seen = __atomic_load_n(word_of(l), __ATOMIC_RELAXED), next;
	do {
		next = as(l, seen);
		if (next == seen)
			return EBUSY;
		if (as == with_reader && (seen & READERS) == READERS)
			return EAGAIN;
	} while (!__atomic_compare_exchange_n(word_of(l), &seen, next, true, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED));
	return 0;
}

bool patch_rwlock_written(pthread_rwlock_t *l)
{
	return __atomic_load_n(word_of(l), __ATOMIC_RELAXED) & WRITER;
}

/* ---- Wait ---- */

struct waiting {
	pthread_rwlock_t *l;
	with *as;
	uint32_t bit;
	int tried;
};

/* Under the lock of the queue: takes it after all, or says that somebody waits. */
static bool still_held(void *arg)
{
	struct waiting *w = arg;
	uint32_t seen;
	do {
		w->tried = try_lock(w->l, w->as);
		if (w->tried != EBUSY)
			return false;
		seen = __atomic_load_n(word_of(w->l), __ATOMIC_RELAXED);
	} while (w->as(w->l, seen) != seen || !__atomic_compare_exchange_n(word_of(w->l), &seen, seen | w->bit, false,
									   __ATOMIC_RELAXED, __ATOMIC_RELAXED));
	return true;
}

static uintptr_t forget_writers(void *arg, bool woken, bool more)
{
	if (!woken || !more)
		__atomic_fetch_and(word_of(arg), ~WRITERS_WAIT, __ATOMIC_RELAXED);
	return LOOK_AGAIN;
}

/* A writer has given up. If he was the last in his queue, readers that waited because of him need not wait any more. */
static void writer_left(pthread_rwlock_t *l)
{
	patch_gev->lot_wake_one(writers_of(l), forget_writers, l);
	if (__atomic_load_n(word_of(l), __ATOMIC_RELAXED) & READERS_WAIT)
		patch_gev->lot_wake(readers_of(l), INT_MAX, LOOK_AGAIN);
}

static int wait_without_lot(struct waiting *w, clockid_t clock, const struct timespec *until)
{
	int64_t step = 0;
	patch_say_once("no libgev: a read-write lock is polled");
	for (;;) {
		int r = try_lock(w->l, w->as);
		if (r != EBUSY)
			return r;
		if (until && patch_reached(clock, until))
			return ETIMEDOUT;
		patch_nap(&step, patch_until(clock, until), GEV_PARK_PLAIN);
	}
}

int patch_rwlock_try(pthread_rwlock_t *l, bool write)
{
	return write ? try_lock(l, with_writer) : try_lock(l, with_reader);
}

int patch_rwlock_wait(pthread_rwlock_t *l, bool write, clockid_t clock, const struct timespec *until)
{
	struct waiting w = {
		.l = l, .as = write ? with_writer : with_reader, .bit = write ? WRITERS_WAIT : READERS_WAIT};
	if (patch_load() < 0)
		return wait_without_lot(&w, clock, until);
	const void *queue = write ? writers_of(l) : readers_of(l);
	for (;;) {
		uintptr_t told;
		int r = patch_gev->lot_wait(queue, still_held, NULL, &w, patch_until(clock, until),
					    GEV_PARK_PLAIN | (write ? GEV_ON_RWLOCK_WRITER : GEV_ON_RWLOCK), &told);
		if (r == -EAGAIN)
			return w.tried;
		if (r == 0 && told == HANDED)
			return 0;
		if (r == -ETIMEDOUT && patch_reached(clock, until)) {
			if (write)
				writer_left(l);
			return ETIMEDOUT;
		}
	}
}

/* ---- Unlock ---- */

struct handing {
	pthread_rwlock_t *l;
	uint32_t mine; /* what the word still has to lose: WRITER, one reader, or 0 */
	bool more;
};

static void clear(pthread_rwlock_t *l, uint32_t bit)
{
	__atomic_fetch_and(word_of(l), ~bit, __ATOMIC_RELAXED);
}

/* The three that follow run under the lock of the queue. Once the word names the next holder the object may be gone. */
static uintptr_t to_more_readers(void *arg, bool woken, bool more)
{
	struct handing *h = arg;
	h->more = woken && more;
	if (!woken)
		return HANDED;
	uint32_t seen = __atomic_load_n(word_of(h->l), __ATOMIC_RELAXED), next;
	bool shared;
	do {
		next = (seen - h->mine) & (more ? ~0U : ~READERS_WAIT);
		/* On another OS thread those who were handed it before may have left already, and handed it to a
		 * writer. */
		shared = (next & WRITER) == 0;
		next += shared;
	} while (!__atomic_compare_exchange_n(word_of(h->l), &seen, next, true, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED));
	h->mine = 0;
	return shared ? HANDED : LOOK_AGAIN;
}

static uintptr_t to_reader(void *arg, bool woken, bool more)
{
	struct handing *h = arg;
	if (!woken)
		clear(h->l, READERS_WAIT);
	return to_more_readers(h, woken, more);
}

static uintptr_t to_writer(void *arg, bool woken, bool more)
{
	struct handing *h = arg;
	if (!woken) {
		clear(h->l, WRITERS_WAIT);
		return HANDED;
	}
	uint32_t seen = __atomic_load_n(word_of(h->l), __ATOMIC_RELAXED), rest;
	bool free;
	do {
		rest = (seen - h->mine) & (more ? ~0U : ~WRITERS_WAIT);
		/* On another OS thread a reader may have come in while we, a reader, were leaving. */
		free = (rest & READERS) == 0;
	} while (!__atomic_compare_exchange_n(word_of(h->l), &seen, free ? rest | WRITER : rest, true, __ATOMIC_ACQ_REL,
					      __ATOMIC_RELAXED));
	return free ? HANDED : LOOK_AGAIN;
}

static bool to_all_readers(struct handing *h)
{
	if (!patch_gev->lot_wake_one(readers_of(h->l), to_reader, h))
		return false;
	while (h->more)
		patch_gev->lot_wake_one(readers_of(h->l), to_more_readers, h);
	return true;
}

void patch_rwlock_release(pthread_rwlock_t *l, bool write)
{
	uint32_t mine = write ? WRITER : 1;
	struct handing h = {.l = l, .mine = mine};
	bool readers_first = write && !writers_first(l);
	uint32_t seen = __atomic_load_n(word_of(l), __ATOMIC_RELAXED);
	for (;;) {
		bool last = write || (seen & READERS) == 1;
		if (!last || !(seen & (READERS_WAIT | WRITERS_WAIT))) {
			if (__atomic_compare_exchange_n(word_of(l), &seen, seen - mine, true, __ATOMIC_RELEASE,
							__ATOMIC_RELAXED))
				return;
			continue;
		}
		bool readers = (seen & READERS_WAIT) && (readers_first || !(seen & WRITERS_WAIT));
		if (readers ? to_all_readers(&h) : patch_gev->lot_wake_one(writers_of(l), to_writer, &h))
			return;
		seen = __atomic_load_n(word_of(l), __ATOMIC_RELAXED); /* that queue was empty: its bit is clear now */
	}
}
