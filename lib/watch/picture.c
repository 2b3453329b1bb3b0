/* Taking the picture.
 *
 * The hub's thread is not stopped. Control blocks and records are plain memory that stays; each greenlet is read between two looks at its
 * record's seq and at its state. A greenlet that moves meanwhile is read again, a few times. Queues of the lot are read under their locks.
 * What lies on a greenlet's stack, or in the program's objects, may be gone: it is read through gev__peek. */
#include "lib/watch/picture.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/context/offsets.h"
#include "lib/context/thread-pointer.h"
#include "lib/core/deadlock.h"
#include "lib/core/join.h"
#include "lib/core/lot.h"
#include "lib/io/readiness.h"
#include "lib/watch/outside.h"
#include "lib/watch/record.h"

enum { TRIES = 8, NOT_SEEN = UINT32_MAX };

static uint32_t hub_index(const struct gev__picture *p, const int *place, const struct gev__hub *h)
{
	for (size_t i = 0; i < p->hubs_n; i++)
		if (gev__hubs[place[i]].h == h)
			return (uint32_t)i;
	return NOT_SEEN;
}

/* The heap may be moving under us: what is read there must name g. */
static int64_t deadline_of(const struct gev_greenlet *g)
{
	uint32_t at = __atomic_load_n(&g->timer_at, __ATOMIC_RELAXED);
	if (at == 0)
		return NEVER;
	struct gev__timer timer;
	const struct gev__timer *heap = __atomic_load_n(&g->hub->timers.at, __ATOMIC_RELAXED);
	if (heap == NULL || gev__peek(heap + at, &timer, sizeof timer) != sizeof timer || timer.g != g)
		return NEVER;
	return timer.deadline;
}

static void read_fds(struct gev__seen *s)
{
	const struct gev_fd_want *want;
	s->fds = gev__fd_waiting(s->g, &s->fd, &s->way, &want);
	if (s->fds == 0)
		return;
	s->waits_for = want ? GEV__FOR_FDS : GEV__FOR_FD;
	struct gev_fd_want few[GEV__FEW];
	size_t n = s->fds < GEV__FEW ? (size_t)s->fds : GEV__FEW;
	if (want == NULL || gev__peek(want, few, n * sizeof *few) != n * sizeof *few)
		return;
	for (size_t i = 0; i < n; i++)
		s->few[i] = few[i].fd;
	s->fd = few[0].fd;
	s->way = few[0].events;
	if (s->fds == 1)
		s->waits_for = GEV__FOR_FD;
}

static uintptr_t word_at(const struct gev__context *c, size_t offset)
{
	uintptr_t word;
	memcpy(&word, (const char *)c + offset, sizeof word);
	return word;
}

static void read_context(struct gev__seen *s, const struct gev__context *c)
{
	s->pc = word_at(c, GEV__OFFSET_PC);
	s->sp = word_at(c, GEV__OFFSET_SP);
	s->fp = word_at(c, GEV__OFFSET_FP);
	s->tp = (uintptr_t)c->tp;
}

/* The times of one that runs are those at its last switch; and then there is the run that it is in. */
static void add_present_run(struct gev__seen *s, const struct gev__watched_hub *w, int64_t now)
{
	int64_t took = now - w->at;
	struct timespec t;
	if (!gev__records_timed() || took <= 0)
		return;
	s->ran += took;
	if (clock_gettime(gev__cpu_clock(w->tid), &t) == 0)
		s->cpu += gev__cpu_of_run(w, took, (int64_t)t.tv_sec * NS_PER_S + t.tv_nsec);
}

/* False: it moved meanwhile. */
static bool read_one(struct gev__seen *s, const struct gev__record *r, const struct gev__picture *p, const int *place)
{
	uint32_t seq = __atomic_load_n(&r->seq, __ATOMIC_ACQUIRE);
	if (seq & 1)
		return false;
	*s = (struct gev__seen){
		.id = r->id,
		.creator = r->creator,
		.g = r->g,
		.entry = r->entry,
		.number = r->number,
		.since = r->since,
		.ran = r->ran,
		.cpu = r->cpu,
		.switches = r->switches,
		.seq = seq,
		.index = r->index,
		.fd = -1,
		.deadline = NEVER,
	};
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	if (__atomic_load_n(&r->seq, __ATOMIC_RELAXED) != seq)
		return false;
	if (s->id == 0)
		return true;
	const struct gev_greenlet *g = s->g;
	uint32_t hub = hub_index(p, place, g->hub);
	if (hub == NOT_SEEN) {
		s->id = 0;
		return true;
	}
	s->hub = (int)hub;
	s->tid = p->hubs[hub].tid;
	s->is_main = g == &g->hub->main;
	s->own_identity = g->own_identity;
	s->state = __atomic_load_n(&g->state, __ATOMIC_ACQUIRE);
	memcpy(s->name, g->name, sizeof s->name);
	s->name[sizeof s->name - 1] = '\0';
	s->lo = g->stack.lo;
	s->hi = g->stack.hi;
	if (s->state != GEV__DONE)
		s->ends = __atomic_load_n(&g->ends, __ATOMIC_RELAXED);
	if (s->state == GEV__RUNNING)
		add_present_run(s, &gev__hubs[place[hub]], p->at);
	else
		read_context(s, &g->context);
	if (s->state == GEV__PARKED) {
		s->outside = g->waits & GEV__PARK_OUTSIDE;
		s->deadline = deadline_of(g);
		read_fds(s);
	}
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return __atomic_load_n(&g->state, __ATOMIC_RELAXED) == s->state &&
	       __atomic_load_n(&r->seq, __ATOMIC_RELAXED) == seq;
}

bool gev__seen_still(const struct gev__seen *s)
{
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return __atomic_load_n(&gev__record_at(s->index)->seq, __ATOMIC_RELAXED) == s->seq &&
	       __atomic_load_n(&s->g->state, __ATOMIC_RELAXED) == s->state;
}

/* ---- Objects ---- */

struct lot_view {
	struct gev__picture *p;
	uint32_t *where; /* of each record, its place in p->seen */
	uint32_t records;
};

static void note_object(void *arg, const struct gev_greenlet *g, const void *addr, unsigned kind)
{
	const struct lot_view *v = arg;
	const struct gev__record *r = g->watched;
	if (r == NULL || r->index >= v->records || v->where[r->index] == NOT_SEEN)
		return;
	struct gev__seen *s = &v->p->seen[v->where[r->index]];
	if (s->g != g || s->state != GEV__PARKED)
		return;
	s->waits_for = GEV__FOR_OBJECT;
	s->object = addr;
	s->kind = kind;
}

/* What was seen of the greenlet at that address, if there is one. */
static struct gev__seen *seen_at(const struct lot_view *v, const struct gev_greenlet *g)
{
	const struct gev__record *r;
	struct gev__record copy;
	if (gev__peek(&g->watched, (void *)&r, sizeof r) != sizeof r || gev__peek(r, &copy, sizeof copy) != sizeof copy)
		return NULL;
	if (copy.index >= v->records || v->where[copy.index] == NOT_SEEN)
		return NULL;
	struct gev__seen *s = &v->p->seen[v->where[copy.index]];
	return s->g == g ? s : NULL;
}

/* Those who wait on the same hub for the end of s hang on it, each on its own stack (join.h). */
static void note_joiners(const struct lot_view *v, const struct gev__seen *s)
{
	enum { MOST = 100000 };
	const struct gev__ending *at = s->ends;
	struct gev__ending e;
	struct gev__gather gather;
	for (int i = 0; at && i < MOST; i++, at = e.next) {
		if (gev__peek(at, &e, sizeof e) != sizeof e ||
		    gev__peek(e.gather, &gather, sizeof gather) != sizeof gather)
			return;
		struct gev__seen *joiner = seen_at(v, gather.waiter);
		if (joiner == NULL || joiner->state != GEV__PARKED)
			return;
		joiner->waits_for = GEV__FOR_OBJECT;
		joiner->kind = GEV_ON_GREENLET;
		joiner->object = s->g;
		joiner->fds++;
	}
}

/* Who runs under that thread number; native greenlets have their OS thread's, and so are told apart no further. */
static uint32_t by_number(const struct gev__picture *p, int number)
{
	for (size_t i = 0; number != 0 && i < p->n; i++)
		if (p->seen[i].number == number)
			return p->seen[i].id;
	return 0;
}

/* addr lies in the thread's static TLS, at the same distance from the thread pointer in all. */
static uint32_t by_storage(const struct gev__picture *p, const void *addr)
{
	uint32_t id = 0;
	uintptr_t least = UINTPTR_MAX;
	for (size_t i = 0; i < p->n; i++) {
		uintptr_t distance = gev__tp_distance(p->seen[i].tp, (uintptr_t)addr);
		if ((p->seen[i].own_identity || p->seen[i].is_main) && distance < least) {
			least = distance;
			id = p->seen[i].id;
		}
	}
	return id;
}

static uint32_t owner_of(const struct gev__picture *p, const struct gev__seen *s)
{
	pthread_mutex_t mutex;
	pthread_rwlock_t lock;
	const void *object = s->object;
	switch (s->kind) {
	case GEV_ON_MUTEX:
		if (gev__peek(s->object, &mutex, sizeof mutex) != sizeof mutex)
			return 0;
		return by_number(p, mutex.__data.__owner);
	case GEV_ON_RWLOCK_WRITER:
		object = (const char *)object - 8;
		/* fall through */
	case GEV_ON_RWLOCK:
		if (gev__peek(object, &lock, sizeof lock) != sizeof lock)
			return 0;
		return by_number(p, lock.__data.__cur_writer);
	case GEV_ON_THREAD:
		return by_storage(p, s->object);
	case GEV_ON_GREENLET:
		for (size_t i = 0; i < p->n && s->fds <= 1; i++)
			if (p->seen[i].g == s->object)
				return p->seen[i].id;
		return 0;
	default:
		return 0;
	}
}

/* ---- All ---- */

static int by_id(const void *a, const void *b)
{
	uint32_t x = ((const struct gev__seen *)a)->id, y = ((const struct gev__seen *)b)->id;
	return x < y ? -1 : x > y;
}

static void read_hubs(struct gev__picture *p, int *place)
{
	for (int i = 0; i < GEV__HUBS; i++) {
		const struct gev__hub *h = gev__hubs[i].h;
		if (h == NULL)
			continue;
		place[p->hubs_n] = i;
		p->hubs[p->hubs_n++] = (struct gev__hub_seen){
			.tid = gev__hubs[i].tid,
			.asleep = __atomic_load_n(&h->asleep, __ATOMIC_RELAXED),
			.live = h->live,
			.ready = gev__ready_n(h),
			.timers = h->timers.n != 0,
		};
	}
}

static void read_all(struct gev__picture *p, struct lot_view *v, const int *place)
{
	for (uint32_t i = 0; i < v->records; i++) {
		const struct gev__record *r = gev__record_at(i);
		struct gev__seen s;
		int tries = 0;
		while (!read_one(&s, r, p, place) && ++tries < TRIES)
			;
		v->where[i] = NOT_SEEN;
		if (s.id == 0)
			continue;
		p->partial |= tries == TRIES;
		v->where[i] = (uint32_t)p->n;
		p->seen[p->n++] = s;
	}
	p->partial |= !gev__lot_each(note_object, v);
}

int gev__picture_take(struct gev__picture *p)
{
	uint32_t records = gev__records_n();
	int place[GEV__HUBS];
	*p = (struct gev__picture){.at = gev__now()};
	p->seen = malloc((records + 1) * sizeof *p->seen);
	p->hubs = malloc(GEV__HUBS * sizeof *p->hubs);
	struct lot_view v = {.p = p, .records = records, .where = malloc((records + 1) * sizeof *v.where)};
	if (!p->seen || !p->hubs || !v.where) {
		free(v.where);
		gev__picture_done(p);
		return -ENOMEM;
	}
	read_hubs(p, place);
	read_all(p, &v, place);
	for (size_t i = 0; i < p->n; i++)
		note_joiners(&v, &p->seen[i]);
	free(v.where);
	qsort(p->seen, p->n, sizeof *p->seen, by_id);
	for (size_t i = 0; i < p->n; i++) {
		struct gev__seen *s = &p->seen[i];
		if (s->state == GEV__PARKED && s->waits_for == GEV__FOR_NOTHING)
			s->waits_for = s->deadline == NEVER ? GEV__FOR_EVENT : GEV__FOR_TIME;
		if (s->waits_for == GEV__FOR_OBJECT)
			s->owner = owner_of(p, s);
	}
	return 0;
}

void gev__picture_done(struct gev__picture *p)
{
	free(p->seen);
	free(p->hubs);
	*p = (struct gev__picture){0};
}

const struct gev__seen *gev__picture_find(const struct gev__picture *p, uint32_t id)
{
	struct gev__seen key = {.id = id};
	return p->n ? bsearch(&key, p->seen, p->n, sizeof *p->seen, by_id) : NULL;
}
