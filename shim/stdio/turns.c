/* The table of taken streams, and waiting for one.
 *
 * Open addressing with linear probing, keyed by the stream's address; a slot exists while the stream is taken. The lock of the table is
 * for real threads beside the green ones: nobody parks with it. A turn is passed on to the longest waiter, so that a thread
 * that prints on and on cannot keep the others out.
 *
 * Lock order: a bucket of the parking lot, then the table. */
#include <errno.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "shim/libc/kernel.h"
#include "shim/pthread/thread.h"
#include "shim/signal/signals.h"
#include "shim/stdio/stream.h"

struct slot {
	FILE *f;         /* NULL: a free one */
	pthread_t owner; /* PASSED: who was woken for it */
	uint32_t calls;  /* of the owner's */
	uint32_t held;   /* by flockfile */
	bool awaited;
};

enum { PASSED = 1, FIRST_SIZE = 64 };

__thread struct stream_call *stream_calls;
uint64_t streams_taken;
uint64_t streams_yields;
bool streams_ending, streams_mixed;

static struct slot first_slots[FIRST_SIZE];
static struct slot *slots = first_slots;
static size_t size = FIRST_SIZE, used;
static uint32_t bits[64]; /* how many slots each bit of streams_taken stands for */
static int busy;

static void lock(void)
{
	while (__atomic_exchange_n(&busy, 1, __ATOMIC_ACQUIRE))
		kernel_call6(SYS_sched_yield, 0, 0, 0, 0, 0, 0);
}

static void unlock(void)
{
	__atomic_store_n(&busy, 0, __ATOMIC_RELEASE);
}

/* ---- The table. Locked. ---- */

static size_t home(const FILE *f)
{
	return ((uintptr_t)f >> 4) * UINT64_C(0x9E3779B97F4A7C15) >> 32 & (size - 1);
}

static struct slot *find(const FILE *f)
{
	for (size_t i = home(f); slots[i].f; i = (i + 1) & (size - 1))
		if (slots[i].f == f)
			return &slots[i];
	return NULL;
}

static struct slot *place(FILE *f)
{
	size_t i = home(f);
	while (slots[i].f)
		i = (i + 1) & (size - 1);
	return &slots[i];
}

static bool grow(void)
{
	size_t old_size = size;
	struct slot *old = slots;
	void *more = mmap(NULL, 2 * size * sizeof *slots, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (more == MAP_FAILED)
		return false;
	slots = more;
	size = 2 * old_size;
	for (size_t i = 0; i < old_size; i++)
		if (old[i].f)
			*place(old[i].f) = old[i];
	if (old != first_slots)
		munmap(old, old_size * sizeof *old);
	return true;
}

/* NULL: no memory. */
static struct slot *insert(FILE *f)
{
	if (2 * (used + 1) > size && !grow() && used + 1 == size)
		return NULL;
	struct slot *s = place(f);
	*s = (struct slot){.f = f, .owner = pthread_self()};
	used++;
	bits[(uintptr_t)f >> 5 & 63]++;
	__atomic_fetch_or(&streams_taken, stream_bit(f), __ATOMIC_RELAXED);
	return s;
}

static void delete (struct slot *s)
{
	size_t bit = (uintptr_t)s->f >> 5 & 63;
	if (--bits[bit] == 0 && !streams_mixed)
		__atomic_fetch_and(&streams_taken, ~(UINT64_C(1) << bit), __ATOMIC_RELAXED);
	used--;
	/* What was pushed further by this one moves up. */
	size_t hole = (size_t)(s - slots);
	slots[hole].f = NULL;
	for (size_t i = (hole + 1) & (size - 1); slots[i].f; i = (i + 1) & (size - 1)) {
		if (((i - home(slots[i].f)) & (size - 1)) < ((i - hole) & (size - 1)))
			continue;
		slots[hole] = slots[i];
		slots[i].f = NULL;
		hole = i;
	}
}

/* ---- Waiting ---- */

/* What a signal handler that has interrupted libc, or the hub itself, prints goes in between, as it may natively. */
static bool is_hub(void)
{
	return (int)kernel_call6(SYS_gettid, 0, 0, 0, 0, 0, 0) == patch_hub_tid();
}

static bool may_wait(void)
{
	if (patch_gev->self() == NULL)
		return !is_hub();
	return patch_green() != NULL || patch_gev->thread_count() <= 1;
}

static bool is_real_thread(void)
{
	return patch_gev->self() == NULL && !is_hub();
}

static void mix(void)
{
	lock();
	streams_mixed = true;
	__atomic_store_n(&streams_taken, UINT64_MAX, __ATOMIC_SEQ_CST);
	unlock();
}

/* What the caller wants of a stream. */
struct want {
	FILE *f;
	bool holds; /* by flockfile */
	bool owns;
};

static void own(struct want *w, struct slot *s)
{
	if (s == NULL)
		return;
	s->owner = pthread_self();
	*(w->holds ? &s->held : &s->calls) += 1;
	w->owns = true;
}

/* At exit who merely holds a stream is not waited for. */
static bool is_anothers(const struct slot *s)
{
	return s && s->owner != pthread_self() && !(unlikely(streams_ending) && s->calls == 0);
}

/* False: it is another's. */
static bool try_take(struct want *w)
{
	lock();
	struct slot *s = find(w->f);
	bool free = !is_anothers(s);
	if (free && (s || streams_mixed || w->holds))
		own(w, s ? s : insert(w->f));
	unlock();
	return free;
}

/* Under the lock of the waiters' queue. */
static bool must_wait(void *f)
{
	lock();
	struct slot *s = find(f);
	bool waits = is_anothers(s);
	if (waits)
		s->awaited = true;
	unlock();
	return waits;
}

static uintptr_t pass_on(void *f, bool woken, bool more)
{
	lock();
	struct slot *s = find(f);
	if (woken) {
		s->owner = PASSED;
		s->awaited = more;
	} else {
		delete (s);
	}
	unlock();
	return 0;
}

static unsigned lay_down(FILE *f)
{
	unsigned n = 0;
	if (f && f->_lock)
		for (void *self = (void *)pthread_self(); stream_lock(f)->owner == self; n++)
			real.funlockfile(f);
	return n;
}

static void take_up(FILE *f, unsigned times)
{
	while (times-- > 0)
		real.flockfile(f);
}

static void wait_turn(struct want *w)
{
	struct stream_yield y;
	unsigned locks = lay_down(w->f);
	stream_yield(&y, NULL);
	if (patch_gev->lot_wait(w->f, must_wait, NULL, w->f, GEV_NEVER, GEV_PARK_PLAIN, NULL) == 0) {
		lock();
		own(w, find(w->f));
		unlock();
	}
	stream_resume(&y);
	take_up(w->f, locks);
}

static void take(struct want *w)
{
	while (!w->owns && !try_take(w) && may_wait())
		wait_turn(w);
}

/* Its last part is gone. Locked; unlocks. */
static void release(struct slot *s)
{
	FILE *f = s->f;
	bool awaited = s->awaited;
	if (!awaited)
		delete (s);
	unlock();
	if (awaited)
		patch_gev->lot_wake_one(f, pass_on, f);
}

static void give(FILE *f, bool held)
{
	lock();
	struct slot *s = find(f);
	uint32_t *part = s && !is_anothers(s) ? (held ? &s->held : &s->calls) : NULL;
	if (part && *part > 0 && --*part == 0 && s->calls + s->held == 0)
		release(s);
	else
		unlock();
}

/* ---- Calls ---- */

void stream_enter_taken(struct stream_call *call)
{
	if (!streams_mixed && (call->f->_flags2 & STREAM_NEEDS_LOCK) && (patch_real_threads || is_real_thread()))
		mix();
	if (!(__atomic_load_n(&streams_taken, __ATOMIC_RELAXED) & stream_bit(call->f)) || stream_is_users(call->f))
		return;
	struct want w = {.f = call->f};
	stream_calls = call->outer; /* not in it yet */
	take(&w);
	call->owns = w.owns;
	stream_calls = call;
}

void stream_leave_taken(struct stream_call *call)
{
	call->owns = false;
	give(call->f, false);
}

/* Where a stream is another's already, a signal handler or the hub has gone in between: it stays his. */
static void take_for(struct stream_call *call)
{
	struct want w = {.f = call->f};
	lock();
	struct slot *s = find(w.f);
	if (!is_anothers(s))
		own(&w, s ? s : insert(w.f));
	unlock();
	call->owns = w.owns;
}

/* Whether the caller has libc's lock of it. */
static bool has_lock(const FILE *f)
{
	return f->_lock && stream_lock(f)->owner == (void *)pthread_self();
}

static bool is_in(const FILE *f)
{
	for (const struct stream_call *c = stream_calls; c; c = c->outer)
		if (c->f == f)
			return true;
	return false;
}

bool stream_is_callers(const FILE *f)
{
	return is_in(f) || has_lock(f);
}

void stream_yield(struct stream_yield *y, FILE *f)
{
	FILE *const standard[] = {stdin, stdout, stderr};
	__atomic_fetch_add(&streams_yields, 1, __ATOMIC_RELAXED);
	y->called = f && has_lock(f) && !is_in(f);
	if (y->called) {
		y->call = (struct stream_call){.f = f, .outer = stream_calls};
		stream_calls = &y->call;
	}
	struct stream_call *c;
	for (c = stream_calls; c && !c->down; c = c->outer) {
		if (!c->owns && (!stream_is_users(c->f) || has_lock(c->f)))
			take_for(c);
		c->down = true;
		c->locks = lay_down(c->f);
	}
	y->until = c;
	for (int i = 0; i < 3; i++)
		y->standard[i] = lay_down(standard[i]);
}

void stream_resume(struct stream_yield *y)
{
	FILE *const standard[] = {stdin, stdout, stderr};
	for (int i = 0; i < 3; i++)
		take_up(standard[i], y->standard[i]);
	for (struct stream_call *c = stream_calls; c != y->until; c = c->outer) {
		take_up(c->f, c->locks);
		c->down = false;
	}
	if (y->called)
		stream_leave(&y->call);
}

/* ---- flockfile ---- */

int stream_hold(FILE *f, bool waits)
{
	struct want w = {.f = f, .holds = true};
	if (!streams_mixed && is_real_thread())
		mix();
	if (waits)
		take(&w);
	else if (!try_take(&w))
		return EBUSY;
	return 0;
}

void stream_let_go(FILE *f)
{
	give(f, true);
}

void stream_held(FILE *f, unsigned times)
{
	lock();
	struct slot *s = insert(f);
	if (s)
		s->held = times;
	unlock();
}

/* ---- Ends ---- */

void streams_jumped(uintptr_t goal)
{
	struct stream_call *c;
	while ((c = stream_calls) != NULL && (uintptr_t)c < goal) {
		if (!c->down)
			lay_down(c->f);
		stream_leave(c);
	}
}

void streams_unwound(void)
{
	struct stream_call *c;
	while ((c = stream_calls) != NULL) {
		if (c->down)
			take_up(c->f, c->locks);
		stream_leave(c);
	}
}

void streams_forked(void)
{
	busy = 0;
	streams_mixed = false;
	streams_taken = 0;
	for (int i = 0; i < 64; i++)
		if (bits[i])
			streams_taken |= UINT64_C(1) << i;
	for (size_t i = 0; i < size;) {
		/* A deletion moves others up, into this place too. */
		if (slots[i].f && slots[i].owner != pthread_self()) {
			delete (&slots[i]);
			continue;
		}
		slots[i++].awaited = false;
	}
}
