/* Priority-inheriting futexes (futex(2), FUTEX_LOCK_PI and its kin): the word is the owner's thread number, and who waits is given the lock.
 *
 *      list -> waiter -> waiter -> ...        FIFO, all words together, under one lock
 *
 * The kernel cannot do it for green threads: to it they are one thread, which already has the lock, and the number that gettid has told them is
 * none of its own. There is nothing to inherit among them; so they take turns. The protocol with the word is the kernel's (kernel/futex/pi.c):
 * FUTEX_WAITERS makes the owner come here to unlock, the new owner's number is written before he wakes, and FUTEX_OWNER_DIED says that the one before has
 * ended with it. Each waits in the parking lot under the address of his own record; who takes a record off the list marks it first.
 *
 * In memory of several processes a word may be held by a thread of another one, which unlocks it in user space or in the kernel and knows nothing of
 * the list: there one looks again and again, up to a millisecond apart. The other way round it cannot be right: the kernel knows no thread with
 * an invented number and tells the other process ESRCH. */
#include "shim/pthread/futex_pi.h"

#include <limits.h>
#include <linux/futex.h>
#include <sys/queue.h>

#include "shim/base/lock.h"
#include "shim/base/log.h"
#include "shim/libc/kernel.h"
#include "shim/pthread/shared_memory.h"
#include "shim/pthread/until.h"
#include "shim/signal/signals.h"

struct waiter {
	uint32_t *word; /* what it waits for: the lock, or to be moved */
	uint32_t *goal; /* the lock to which it wants to be moved; NULL: it waits for the lock already */
	uint32_t tid;
	bool done; /* atomic: the lock is its own, and the record is off the list */
	TAILQ_ENTRY(waiter) link;
};

static TAILQ_HEAD(, waiter) list = TAILQ_HEAD_INITIALIZER(list);
static struct patch_lock lock;

/* ---- The list. Locked. ---- */

/* The longest waiter for the lock in that word. */
static struct waiter *first_for(const uint32_t *word)
{
	struct waiter *w;
	TAILQ_FOREACH(w, &list, link)
		if (w->word == word && w->goal == NULL)
			break;
	return w;
}

/* Whether the owner, or whom he waits for, and so on, waits for a lock of tid's. */
static bool would_deadlock(uint32_t owner, uint32_t tid)
{
	for (int n = 0; n < 1024; n++) {
		struct waiter *w;
		TAILQ_FOREACH(w, &list, link)
			if (w->tid == owner && w->goal == NULL)
				break;
		if (w == NULL)
			return false;
		owner = __atomic_load_n(w->word, __ATOMIC_RELAXED) & FUTEX_TID_MASK;
		if (owner == tid)
			return true;
	}
	return true;
}

/* ---- Owners ---- */

static bool alive(uint32_t tid)
{
	if (tid >= PATCH_FIRST_INVENTED)
		return patch_thread_numbered((pid_t)tid) != NULL;
	return kernel_call6(SYS_tkill, (long)tid, 0, 0, 0, 0, 0) != -ESRCH;
}

/* Gives the lock in the word to its longest waiter, who then is to be woken. NULL: nobody waits, or the word is not `seen` any more. Locked. */
static struct waiter *hand_over(uint32_t *word, uint32_t seen, uint32_t mark)
{
	struct waiter *w = first_for(word);
	if (w == NULL || !__atomic_compare_exchange_n(word, &seen, w->tid | FUTEX_WAITERS | mark, false,
						      __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
		return NULL;
	TAILQ_REMOVE(&list, w, link);
	__atomic_store_n(&w->done, true, __ATOMIC_RELEASE);
	return w;
}

/* By now the record may be gone, and another's lie there: he finds no mark and waits on. */
static void wake(struct waiter *w)
{
	patch_gev->lot_wake(w, 1, 0);
}

enum { MUST_WAIT = 1 };

/* Takes the word for tid if it is free, else says that somebody waits. `mark`: FUTEX_WAITERS, if others will. 0; MUST_WAIT, and *owner has it;
 * -EDEADLK, -ESRCH, -EINVAL. Locked. */
static int take(uint32_t *word, uint32_t tid, uint32_t mark, uint32_t *owner)
{
	uint32_t seen = __atomic_load_n(word, __ATOMIC_RELAXED), next;
	bool free;
	do {
		*owner = seen & FUTEX_TID_MASK;
		if (*owner == tid)
			return -EDEADLK;
		free = *owner == 0 && first_for(word) == NULL;
		if (*owner == 0 && !free && !(seen & FUTEX_OWNER_DIED))
			return -EINVAL; /* who waits was not given it: somebody has written there */
		next = free ? tid | mark | (seen & FUTEX_OWNER_DIED) : seen | FUTEX_WAITERS;
	} while (!__atomic_compare_exchange_n(word, &seen, next, true, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED));
	if (free)
		return 0;
	return *owner == 0 || alive(*owner) ? MUST_WAIT : -ESRCH;
}

/* ---- Waiting ---- */

static bool not_done(void *arg)
{
	struct waiter *w = arg;
	return !__atomic_load_n(&w->done, __ATOMIC_ACQUIRE);
}

/* 0: the lock is its own now. -ETIMEDOUT, -EINTR: it is off the list. Nobody tells of the end of a real thread. */
static int sleep_until(struct waiter *w, int64_t deadline, unsigned flags)
{
	enum { LOOK = 16000000 };
	for (;;) {
		uint32_t owner = __atomic_load_n(w->word, __ATOMIC_RELAXED) & FUTEX_TID_MASK;
		bool looks =
			w->goal == NULL && owner != 0 && owner < PATCH_FIRST_INVENTED && owner != (uint32_t)getpid();
		if (looks && !alive(owner))
			patch_pi_owner_ended(owner);
		int64_t now = patch_now(), until = looks && deadline - now > LOOK ? now + LOOK : deadline;
		int r = patch_gev->lot_wait(w, not_done, NULL, w, until, flags | GEV_ON_FUTEX, NULL);
		if (r == -EAGAIN)
			return 0;
		if (r == 0 || (r == -ETIMEDOUT && until != deadline))
			continue;
		patch_lock(&lock);
		bool found = !w->done;
		if (found)
			TAILQ_REMOVE(&list, w, link);
		patch_unlock(&lock);
		return found ? r : 0;
	}
}

static int time_ok(const struct timespec *until)
{
	return until && (!patch_time_ok(until) || until->tv_sec < 0) ? -EINVAL : 0;
}

/* In memory of several processes. */
static int lock_looking(uint32_t *word, uint32_t tid, clockid_t clock, const struct timespec *until)
{
	for (int64_t step = 0;;) {
		uint32_t seen = __atomic_load_n(word, __ATOMIC_RELAXED), owner = seen & FUTEX_TID_MASK;
		if (owner == tid)
			return -EDEADLK;
		if (owner == 0 && __atomic_compare_exchange_n(word, &seen, tid | (seen & ~FUTEX_TID_MASK), false,
							      __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
			return 0;
		if (owner != 0 && owner < PATCH_FIRST_INVENTED && !alive(owner))
			return -ESRCH;
		if (until && patch_reached(clock, until))
			return -ETIMEDOUT;
		patch_nap(&step, patch_until(clock, until), GEV_PARK_PLAIN);
	}
}

/* ---- Lock and unlock ---- */

int patch_pi_lock(uint32_t *word, bool private, clockid_t clock, const struct timespec *until)
{
	struct waiter w = {.word = word, .tid = (uint32_t)patch_gettid()};
	uint32_t owner;
	int r = time_ok(until);
	if (r)
		return r;
	for (;;) {
		patch_lock(&lock);
		r = take(word, w.tid, 0, &owner);
		if (r == MUST_WAIT && would_deadlock(owner, w.tid))
			r = -EDEADLK;
		if (r == MUST_WAIT && private)
			TAILQ_INSERT_TAIL(&list, &w, link);
		patch_unlock(&lock);
		if (r == -ESRCH && !private && owner >= PATCH_FIRST_INVENTED)
			r = MUST_WAIT; /* another process's green thread, perhaps */
		if (r != MUST_WAIT)
			return r;
		if (!private && !patch_memory_shared(word)) {
			private = true;
			continue;
		}
		r = private ? sleep_until(&w, patch_until(clock, until), GEV_PARK_PLAIN)
			    : lock_looking(word, w.tid, clock, until);
		if (r != -ETIMEDOUT || patch_reached(clock, until))
			return r;
	}
}

int patch_pi_try(uint32_t *word)
{
	uint32_t owner;
	patch_lock(&lock);
	int r = take(word, (uint32_t)patch_gettid(), 0, &owner);
	patch_unlock(&lock);
	return r == MUST_WAIT ? -EAGAIN : r;
}

int patch_pi_unlock(uint32_t *word, bool private)
{
	uint32_t tid = (uint32_t)patch_gettid();
	struct waiter *w = NULL;
	patch_lock(&lock);
	uint32_t seen = __atomic_load_n(word, __ATOMIC_RELAXED);
	bool mine = (seen & FUTEX_TID_MASK) == tid, in_kernel = mine && !private && tid < PATCH_FIRST_INVENTED;
	bool waited_for = first_for(word) != NULL;
	while (mine && (waited_for ? (w = hand_over(word, seen, 0)) == NULL
				   : !in_kernel && !__atomic_compare_exchange_n(word, &seen, 0, false, __ATOMIC_SEQ_CST,
										__ATOMIC_RELAXED)))
		seen = __atomic_load_n(word, __ATOMIC_RELAXED); /* the marks only: the number stays while it is mine */
	patch_unlock(&lock);
	if (!mine)
		return -EPERM;
	if (w)
		wake(w);
	else if (in_kernel && !waited_for) /* another process may wait there for this one, which the kernel knows */
		return (int)kernel_call6(SYS_futex, (long)word, FUTEX_UNLOCK_PI, 0, 0, 0, 0);
	return 0;
}

/* ---- Wait to be moved ---- */

int patch_pi_wait(uint32_t *word, uint32_t expected, bool private, uint32_t *goal, clockid_t clock,
		  const struct timespec *until)
{
	struct waiter w = {.word = word, .goal = goal, .tid = (uint32_t)patch_gettid()};
	int r = time_ok(until);
	if (r || word == goal)
		return -EINVAL;
	if (!private && patch_memory_shared(word)) {
		patch_say_once(
			"FUTEX_WAIT_REQUEUE_PI in memory of several processes is not possible among green threads");
		return -ENOSYS;
	}
	for (;;) {
		patch_lock(&lock);
		bool as_expected = __atomic_load_n(word, __ATOMIC_SEQ_CST) == expected;
		if (as_expected)
			TAILQ_INSERT_TAIL(&list, &w, link);
		patch_unlock(&lock);
		if (!as_expected)
			return -EAGAIN;
		r = sleep_until(&w, patch_until(clock, until), GEV_PARK_INTERRUPTIBLE);
		bool moved = w.goal == NULL;
		/* Once it was moved a handler ends it, and before that it only interrupts it (kernel/futex/requeue.c). */
		if (r == -EINTR && patch_interrupted(false) < 0 && moved)
			return -EAGAIN;
		if (r == 0 || (r == -ETIMEDOUT && patch_reached(clock, until)))
			return r;
		if (moved)
			return -EAGAIN;
	}
}

int patch_pi_requeue(uint32_t *word, uint32_t expected, uint32_t *goal, uint32_t n_wake, uint32_t n_move)
{
	struct waiter *first = NULL, *next;
	uint32_t owner;
	int done = 0, r = 0;
	if (word == goal || n_wake != 1 || n_move > INT_MAX)
		return -EINVAL;
	patch_lock(&lock);
	if (__atomic_load_n(word, __ATOMIC_SEQ_CST) != expected)
		r = -EAGAIN;
	for (struct waiter *w = TAILQ_FIRST(&list); w && r == 0 && (uint32_t)done < n_wake + n_move; w = next) {
		next = TAILQ_NEXT(w, link);
		if (w->word != word || w->goal == NULL)
			continue;
		if (w->goal != goal)
			r = -EINVAL;
		else
			r = take(goal, w->tid, n_move ? FUTEX_WAITERS : 0, &owner);
		if (r < 0)
			break;
		TAILQ_REMOVE(&list, w, link);
		w->word = goal;
		w->goal = NULL;
		if (r == 0) {
			first = w;
			__atomic_store_n(&w->done, true, __ATOMIC_RELEASE);
		} else {
			TAILQ_INSERT_TAIL(&list, w, link);
		}
		r = 0;
		done++;
	}
	patch_unlock(&lock);
	if (first)
		wake(first);
	return done ? done : r;
}

/* ---- The end of an owner ---- */

void patch_pi_owner_ended(uint32_t tid)
{
	if (likely(__atomic_load_n(&list.tqh_first, __ATOMIC_RELAXED) == NULL))
		return;
	for (struct waiter *given = NULL;; wake(given), given = NULL) {
		patch_lock(&lock);
		struct waiter *w;
		TAILQ_FOREACH(w, &list, link) {
			uint32_t seen = __atomic_load_n(w->word, __ATOMIC_RELAXED), owner = seen & FUTEX_TID_MASK;
			/* A robust list has been gone through before: then the number is gone. */
			if (w->goal == NULL && (owner == tid || (owner == 0 && (seen & FUTEX_OWNER_DIED))))
				given = hand_over(w->word, seen, FUTEX_OWNER_DIED);
			if (given)
				break;
		}
		patch_unlock(&lock);
		if (given == NULL)
			return;
	}
}

void patch_pi_forked(void)
{
	TAILQ_INIT(&list);
	lock = (struct patch_lock){0};
}
