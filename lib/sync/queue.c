/* Queues and channels, on the parking lot alone.
 *
 *      ring   [ . . . first, second, third, . . ]      n items from `first` on, round the end; room for `room` of them, never more than `most`
 *
 * The lock of the lot's bucket is the queue's lock too: whoever comes sees the ring and the longest waiter at one moment, and serves him there and then.
 * Invariants: getters and peekers wait only while n == 0, putters only while n == most; so those who wait under the queue's address all want the
 * same, except on a channel (most == 0), where it is the longest waiter who says what all of them want. A putter waits with his item, and whoever makes room for it moves
 * it in, so that nobody who comes between is before him. Who serves somebody for the last time looks at the queue no more: the other may have freed it. */
#include <gev/queue.h>

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

#include "lib/base/clock.h"
#include "lib/base/lock.h"
#include "lib/base/macros.h"
#include "lib/base/result.h"
#include "lib/core/lot.h"
#include "lib/core/park.h"

struct gev_queue {
	void **ring;
	size_t room; /* atomic to look at */
	size_t first;
	size_t n; /* atomic to look at */
	size_t most;
	bool closed;
	size_t unfinished; /* atomic: put, and not done; it falls only under the lock of its own address, under which joiners wait */
};

enum errand { PUT, GET, PEEK };

/* One call, on the caller's stack; in the lot he is known by it. Whoever serves him writes the item and the result. */
struct visit {
	struct gev_queue *q;
	enum errand errand;
	bool may_wait;
	bool begun; /* close, task_done: the queue has been changed, and may be gone */
	int result;
	void *item;
	void **ring; /* a larger one, brought by a putter; then the one it has replaced */
	size_t room;
};

static enum gev__meeting leave(struct visit *v, int result)
{
	v->result = result;
	return GEV__MEET_LEAVE;
}

static enum gev__meeting wait_if_allowed(struct visit *v)
{
	return likely(v->may_wait) ? GEV__MEET_WAIT : leave(v, -ETIMEDOUT);
}

static void set_n(struct gev_queue *q, size_t n)
{
	__atomic_store_n(&q->n, n, __ATOMIC_RELAXED);
}

/* ---- The ring ---- */

static size_t wrap(const struct gev_queue *q, size_t at)
{
	return at < q->room ? at : at - q->room;
}

static void append(struct gev_queue *q, void *item)
{
	q->ring[wrap(q, q->first + q->n)] = item;
	set_n(q, q->n + 1);
}

static void *take(struct gev_queue *q)
{
	void *item = q->ring[q->first];
	q->first = wrap(q, q->first + 1);
	set_n(q, q->n - 1);
	return item;
}

/* Moves into the ring that v has brought, if it is larger. */
static bool grow(struct gev_queue *q, struct visit *v)
{
	void **old = q->ring;
	if (v->room <= q->room)
		return false;
	for (size_t i = 0; i < q->n; i++)
		v->ring[i] = old[wrap(q, q->first + i)];
	q->ring = v->ring;
	__atomic_store_n(&q->room, v->room, __ATOMIC_RELAXED);
	q->first = 0;
	v->ring = old;
	v->room = 0;
	return true;
}

/* Not under the lock: memory is asked for. */
static int bring_ring(struct visit *v)
{
	enum { LEAST = 16 };
	const struct gev_queue *q = v->q;
	size_t room = __atomic_load_n(&q->room, __ATOMIC_RELAXED);
	room = room ? 2 * room : LEAST;
	v->room = room < q->most ? room : q->most;
	free(v->ring);
	v->ring = malloc(v->room * sizeof *v->ring);
	return v->ring ? 0 : -ENOMEM;
}

/* ---- Put, get, peek ---- */

/* An item has come in. */
static void count_in(struct gev_queue *q)
{
	if (gev__single_threaded())
		__atomic_store_n(&q->unfinished, q->unfinished + 1, __ATOMIC_RELAXED);
	else
		__atomic_add_fetch(&q->unfinished, 1, __ATOMIC_RELAXED);
}

static enum gev__meeting meet_to_put(void *visitor, void *waiting)
{
	struct visit *v = visitor, *w = waiting;
	struct gev_queue *q = v->q;
	if (unlikely(q->closed))
		return leave(v, -EPIPE);
	if (w && w->errand == GET) {
		count_in(q);
		w->item = v->item;
		w->result = v->result = 0;
		return GEV__MEET_WAKE_AND_LEAVE;
	}
	if (q->n == q->most)
		return wait_if_allowed(v);
	if (unlikely(q->n == q->room) && !grow(q, v))
		return leave(v, -EAGAIN);
	if (unlikely(w != NULL)) { /* who only peeks; the next may be one who gets */
		w->item = v->item;
		w->result = 0;
		return GEV__MEET_WAKE;
	}
	count_in(q);
	append(q, v->item);
	return leave(v, 0);
}

static enum gev__meeting meet_to_get(void *visitor, void *waiting)
{
	struct visit *v = visitor, *w = waiting;
	struct gev_queue *q = v->q;
	bool putter = w && w->errand == PUT;
	if (q->n == 0 && !putter)
		return q->closed ? leave(v, -EPIPE) : wait_if_allowed(v);
	v->result = 0;
	v->item = q->n ? take(q) : w->item;
	if (!putter)
		return GEV__MEET_LEAVE;
	count_in(q);
	if (q->most)
		append(q, w->item);
	w->result = 0;
	return GEV__MEET_WAKE_AND_LEAVE;
}

static enum gev__meeting meet_to_peek(void *visitor, void *waiting)
{
	struct visit *v = visitor;
	const struct gev_queue *q = v->q;
	if (q->n == 0)
		return q->closed ? leave(v, -EPIPE) : wait_if_allowed(v);
	v->item = q->ring[q->first];
	return leave(v, 0);
}

/* The call as a whole: at `addr`, by that meeting. */
static inline int visit(struct visit *v, const void *addr, enum gev__meeting (*meet)(void *, void *), double timeout)
{
	int64_t deadline = 0;
	int r = gev__deadline(timeout, &deadline);
	if (r < 0)
		return r;
	r = gev__kill_point();
	if (r < 0)
		return r;
	v->may_wait = deadline > 0;
	r = gev__lot_meet(addr, meet, v, deadline, GEV_PARK_KILLABLE | GEV_ON_QUEUE);
	return r < 0 ? r : v->result;
}

int gev_queue_put(struct gev_queue *q, void *item, double timeout)
{
	struct visit v = {.q = q, .errand = PUT, .item = item};
	int r = visit(&v, q, meet_to_put, timeout);
	while (unlikely(r == -EAGAIN)) {
		r = bring_ring(&v);
		if (r == 0)
			r = visit(&v, q, meet_to_put, timeout);
	}
	if (unlikely(v.ring != NULL))
		free(v.ring);
	return (int)gev__result(r);
}

static int take_or_look(struct gev_queue *q, enum errand errand, enum gev__meeting (*meet)(void *, void *), void **item,
			double timeout)
{
	struct visit v = {.q = q, .errand = errand};
	int r = visit(&v, q, meet, timeout);
	if (r == 0)
		*item = v.item;
	return (int)gev__result(r);
}

int gev_queue_get(struct gev_queue *q, void **item, double timeout)
{
	return take_or_look(q, GET, meet_to_get, item, timeout);
}

int gev_queue_peek(struct gev_queue *q, void **item, double timeout)
{
	return q->most ? take_or_look(q, PEEK, meet_to_peek, item, timeout) : (int)gev__result(-EINVAL);
}

static enum gev__meeting meet_to_close(void *visitor, void *waiting)
{
	struct visit *v = visitor, *w = waiting;
	if (!v->begun)
		v->begun = v->q->closed = true;
	if (w == NULL)
		return GEV__MEET_LEAVE;
	w->result = -EPIPE;
	return GEV__MEET_WAKE;
}

void gev_queue_close(struct gev_queue *q)
{
	struct visit v = {.q = q};
	gev__lot_meet(q, meet_to_close, &v, 0, 0);
}

/* ---- How many ---- */

size_t gev_queue_size(const struct gev_queue *q)
{
	return __atomic_load_n(&q->n, __ATOMIC_RELAXED);
}

bool gev_queue_is_empty(const struct gev_queue *q)
{
	return gev_queue_size(q) == 0;
}

bool gev_queue_is_full(const struct gev_queue *q)
{
	return gev_queue_size(q) == q->most;
}

/* ---- Done, and joined ---- */

static enum gev__meeting meet_when_done(void *visitor, void *waiting)
{
	struct visit *v = visitor, *w = waiting;
	if (!v->begun) {
		if (__atomic_load_n(&v->q->unfinished, __ATOMIC_RELAXED) == 0)
			return leave(v, -EINVAL);
		v->begun = true;
		if (__atomic_sub_fetch(&v->q->unfinished, 1, __ATOMIC_ACQ_REL) > 0)
			return leave(v, 0);
	}
	if (w == NULL)
		return leave(v, 0);
	w->result = 0;
	return GEV__MEET_WAKE;
}

int gev_queue_task_done(struct gev_queue *q)
{
	struct visit v = {.q = q};
	gev__lot_meet(&q->unfinished, meet_when_done, &v, 0, 0);
	return (int)gev__result(v.result);
}

static enum gev__meeting meet_to_join(void *visitor, void *waiting)
{
	struct visit *v = visitor;
	if (__atomic_load_n(&v->q->unfinished, __ATOMIC_ACQUIRE) == 0)
		return leave(v, 0);
	return wait_if_allowed(v);
}

int gev_queue_join(struct gev_queue *q, double timeout)
{
	struct visit v = {.q = q};
	return (int)gev__result(visit(&v, &q->unfinished, meet_to_join, timeout));
}

/* ---- Life ---- */

struct gev_queue *gev_queue_new(size_t most)
{
	struct gev_queue *q = malloc(sizeof *q);
	if (q)
		*q = (struct gev_queue){.most = most};
	return q;
}

void gev_queue_free(struct gev_queue *q)
{
	if (q)
		free(q->ring);
	free(q);
}
