/* The parking lot.
 *
 *      buckets[hash(addr)]    head -> waiter -> waiter -> ... <- tail      (FIFO; several addresses may share a bucket)
 *
 * A greenlet is woken under the bucket's lock. Once that is free it may return and end, and its control block with it; so one that finds itself
 * chosen by another OS thread waits for the lock before it returns, however it came to look.
 * An OS thread is told by its own futex word, on its stack; a late FUTEX_WAKE on a stack that is in use otherwise wakes at most somebody
 * who looks again.
 * A signal handler must not wait for a lock that it may have interrupted: its wakes are noted, and whoever holds the lock carries them out when he
 * gives it back (lot-async.c). */
#include "lib/core/lot.h"

#include <errno.h>
#include <linux/futex.h>
#include <stddef.h>
#include <sys/syscall.h>

#include "gev/embed.h"
#include "lib/base/clock.h"
#include "lib/base/lock.h"
#include "lib/base/macros.h"
#include "lib/base/sys.h"
#include "lib/core/handle.h"
#include "lib/core/hub.h"
#include "lib/core/lot-queue.h"
#include "lib/core/park.h"
#include "lib/core/signals.h"

struct bucket gev__lot_buckets[BUCKETS];

static void push(struct bucket *b, struct waiter *w)
{
	w->next = NULL;
	w->prev = b->tail;
	if (b->tail)
		b->tail->next = w;
	else
		b->head = w;
	b->tail = w;
}

static void sleep_thread(struct waiter *w, int64_t deadline)
{
	struct timespec until = gev__timespec(deadline > 0 ? deadline : 0);
	gev__sys.syscall(SYS_futex, (long)&w->chosen, FUTEX_WAIT_BITSET_PRIVATE, 0,
			 deadline == NEVER ? 0 : (long)&until, 0, (long)FUTEX_BITSET_MATCH_ANY);
}

/* One sleep of the waiter. 0: look; else why it is over. */
static int sleep_once(struct waiter *w, int64_t deadline, unsigned flags)
{
	if (likely(w->g != NULL))
		return gev__park_as(w->g, deadline, flags);
	int saved = errno;
	sleep_thread(w, deadline);
	errno = saved;
	return deadline != NEVER && gev__now() >= deadline ? -ETIMEDOUT : 0;
}

/* Takes w off whatever queue it is on. False: somebody has chosen it meanwhile. */
static bool give_up(struct waiter *w)
{
	for (;;) {
		const void *addr = __atomic_load_n(&w->addr, __ATOMIC_RELAXED);
		struct bucket *b = bucket_of(addr);
		gev__lock(&b->lock);
		if (__atomic_load_n(&w->chosen, __ATOMIC_RELAXED)) {
			give_back(b);
			return false;
		}
		if (__atomic_load_n(&w->addr, __ATOMIC_RELAXED) == addr) {
			unlink_waiter(b, w);
			give_back(b);
			return true;
		}
		give_back(b);
	}
}

/* w stands in a queue. Sleeps until it is chosen, or something else ends the wait. */
static inline __attribute__((always_inline)) int sleep_until_chosen(struct waiter *w, int64_t deadline, unsigned flags)
{
	while (!__atomic_load_n(&w->chosen, __ATOMIC_ACQUIRE)) {
		int r = sleep_once(w, deadline, flags | GEV_PARK_INTERRUPTIBLE);
		if (r == 0)
			continue;
		/* Its place in the queue is kept meanwhile. */
		if (unlikely(r == -EINTR) && !(flags & GEV_PARK_INTERRUPTIBLE)) {
			gev__signal_hooks->handle();
			continue;
		}
		if (give_up(w))
			return r;
		break;
	}
	if (unlikely(w->from_afar)) {
		/* We may have seen the choice before the wake that follows it. */
		struct bucket *b = bucket_of(w->addr);
		gev__lock(&b->lock);
		give_back(b);
	}
	/* The interruption came in the moment before or after the choice, and whoever sent it has seen us wait: nobody else will run the handlers. */
	if (unlikely(w->g && gev__marks(w->g) & GEV__MARK_INTERRUPTED))
		gev__signal_hooks->handle();
	return 0;
}

int gev__lot_wait(const void *addr, bool (*validate)(void *arg), void (*before_sleep)(void *arg), void *arg,
		  int64_t deadline, unsigned flags, uintptr_t *token)
{
	struct gev_greenlet *self = gev__self();
	struct waiter w = {
		.addr = addr,
		.g = self && self != &self->hub->self ? self : NULL,
		.kind = flags & GEV_ON_KIND,
	};
	struct bucket *b = bucket_of(addr);
	gev__lock(&b->lock);
	if (validate && !validate(arg)) {
		give_back(b);
		return -EAGAIN;
	}
	push(b, &w);
	give_back(b);
	if (before_sleep)
		before_sleep(arg);
	int r = sleep_until_chosen(&w, deadline, flags);
	if (r == 0 && token)
		*token = w.token;
	return r;
}

/* Chooses w, which has been taken off its queue; the bucket is locked. Returns the futex word to wake once it is not, or NULL. */
static inline uint32_t *choose(struct waiter *w, uintptr_t token)
{
	struct gev_greenlet *g = w->g;
	w->token = token;
	if (likely(g && gev__is_here(g))) {
		__atomic_store_n(&w->chosen, 1, __ATOMIC_RELAXED);
		gev__wake_here(g);
		return NULL;
	}
	w->from_afar = g != NULL;
	/* After this store an OS thread may be gone, and w with it. A greenlet of another hub waits for our lock before it goes on, and its end
	 * for its inbox. */
	__atomic_store_n(&w->chosen, 1, __ATOMIC_RELEASE);
	if (g) {
		gev__wake(g);
		return NULL;
	}
	return &w->chosen;
}

/* The most common wake of all. */
static inline int wake_one(struct bucket *b, const void *addr, uintptr_t token)
{
	uint32_t *word = NULL;
	gev__lock(&b->lock);
	struct waiter *w = first_under(b->head, addr);
	if (w) {
		unlink_waiter(b, w);
		word = choose(w, token);
	}
	give_back(b);
	if (unlikely(word != NULL))
		wake_thread(word);
	return w != NULL;
}

static __attribute__((noinline)) int wake_many(struct bucket *b, const void *addr, int n, uintptr_t token)
{
	enum { BATCH = 16 };
	int woken = 0;
	bool more = true;
	while (more && woken < n) {
		uint32_t *threads[BATCH];
		int n_threads = 0;
		gev__lock(&b->lock);
		struct waiter *w = first_under(b->head, addr);
		while (w && woken < n && n_threads < BATCH) {
			struct waiter *next = first_under(w->next, addr);
			unlink_waiter(b, w);
			uint32_t *word = choose(w, token);
			if (word)
				threads[n_threads++] = word;
			woken++;
			w = next;
		}
		more = w != NULL;
		give_back(b);
		for (int i = 0; i < n_threads; i++)
			wake_thread(threads[i]);
	}
	return woken;
}

int gev__lot_wake(const void *addr, int n, uintptr_t token)
{
	struct bucket *b = bucket_of(addr);
	return likely(n == 1) ? wake_one(b, addr, token) : wake_many(b, addr, n, token);
}

int gev__lot_wake_one(const void *addr, uintptr_t (*decide)(void *arg, bool woken, bool more), void *arg)
{
	struct bucket *b = bucket_of(addr);
	uint32_t *word = NULL;
	gev__lock(&b->lock);
	struct waiter *w = first_under(b->head, addr);
	if (w) {
		bool more = first_under(w->next, addr) != NULL;
		unlink_waiter(b, w);
		word = choose(w, decide(arg, true, more));
	} else {
		decide(arg, false, false);
	}
	give_back(b);
	if (word)
		wake_thread(word);
	return w != NULL;
}

/* b is locked, and given back. Apart, so that who leaves at once has no room to make on the stack. */
static __attribute__((noinline)) int stand_and_sleep(struct bucket *b, const void *addr, void *visitor,
						     int64_t deadline, unsigned flags, uint32_t *word)
{
	struct gev_greenlet *self = gev__self();
	bool may_wait = self == NULL || self != &self->hub->self;
	struct waiter w = {.addr = addr, .g = self, .kind = flags & GEV_ON_KIND, .token = (uintptr_t)visitor};
	if (likely(may_wait))
		push(b, &w);
	give_back(b);
	if (unlikely(word != NULL))
		wake_thread(word);
	return likely(may_wait) ? sleep_until_chosen(&w, deadline, flags) : -EPERM;
}

int gev__lot_meet(const void *addr, enum gev__meeting (*meet)(void *visitor, void *waiting), void *visitor,
		  int64_t deadline, unsigned flags)
{
	struct bucket *b = bucket_of(addr);
	uint32_t *word = NULL;
	enum gev__meeting then;
	gev__lock(&b->lock);
	do {
		struct waiter *w = first_under(b->head, addr);
		then = meet(visitor, w ? (void *)w->token : NULL);
		if (then < GEV__MEET_WAKE || w == NULL)
			break;
		if (unlikely(word != NULL))
			wake_thread(word);
		unlink_waiter(b, w);
		word = choose(w, w->token);
	} while (then == GEV__MEET_WAKE);
	if (then != GEV__MEET_WAIT) {
		give_back(b);
		if (unlikely(word != NULL))
			wake_thread(word);
		return 0;
	}
	return stand_and_sleep(b, addr, visitor, deadline, flags, word);
}

static void lock_two(struct bucket *a, struct bucket *b)
{
	/* By address, so that two requeues in opposite directions do not wait for each other. */
	gev__lock(a < b ? &a->lock : &b->lock);
	if (a != b)
		gev__lock(a < b ? &b->lock : &a->lock);
}

int gev__lot_requeue(const void *from, const void *to, int n_wake, int n_move, bool (*validate)(void *arg), void *arg,
		     uintptr_t token)
{
	struct bucket *a = bucket_of(from);
	struct bucket *b = bucket_of(to);
	lock_two(a, b);
	if (validate && !validate(arg)) {
		give_back(a);
		if (a != b)
			give_back(b);
		return -EAGAIN;
	}
	int woken = 0, moved = 0;
	struct waiter *w = first_under(a->head, from);
	while (w && (woken < n_wake || moved < n_move)) {
		struct waiter *next = first_under(w->next, from);
		unlink_waiter(a, w);
		if (woken < n_wake) {
			uint32_t *word = choose(w, token);
			if (word)
				wake_thread(word);
			woken++;
		} else {
			__atomic_store_n(&w->addr, to, __ATOMIC_RELAXED);
			push(b, w);
			moved++;
		}
		/* A waiter moved within one bucket now stands at its end, and must not be met again: it has another address. */
		w = next;
	}
	give_back(a);
	if (a != b)
		give_back(b);
	return woken + moved;
}

bool gev__lot_each(void (*each)(void *arg, const struct gev_greenlet *g, const void *addr, unsigned kind), void *arg)
{
	enum { TRIES = 1000 };
	bool all = true;
	for (size_t i = 0; i < BUCKETS; i++) {
		struct bucket *b = &gev__lot_buckets[i];
		int tries = 0;
		while (!gev__trylock(&b->lock) && ++tries < TRIES)
			gev__sys.sched_yield();
		if (tries == TRIES) {
			all = false;
			continue;
		}
		for (const struct waiter *w = b->head; w; w = w->next)
			if (w->g)
				each(arg, w->g, w->addr, w->kind);
		give_back(b);
	}
	return all;
}

void gev__lot_forget(const struct gev__hub *hub)
{
	for (size_t i = 0; i < BUCKETS; i++) {
		struct bucket *b = &gev__lot_buckets[i];
		struct waiter *next;
		gev__lock(&b->lock);
		for (struct waiter *w = b->head; w; w = next) {
			next = w->next;
			if (w->g && w->g->hub == hub)
				unlink_waiter(b, w);
		}
		give_back(b);
	}
}

void gev__lot_forked(void)
{
	for (size_t i = 0; i < BUCKETS; i++)
		gev__lot_buckets[i] = (struct bucket){0};
	gev__lot_notes_forked();
}
