/* Descriptor readiness on libev.
 *
 * One waiter is woken per event and direction: whoever comes first and means to read. If he leaves data behind, the level-triggered set says so at the next
 * poll, and the next waiter gets it. Observers (poll, select), who take nothing away, are all woken. */
#include "lib/io/readiness.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/macros.h"
#include "lib/base/sys.h"
#include "lib/core/deadlock.h"
#include "lib/core/hub-loop.h"
#include "lib/core/hub.h"
#include "lib/core/park-inline.h"
#include "lib/io/odd.h"
#include "lib/io/record.h"

/* In the place of a waiter, for observers, while the greenlet waits for more than that one could say. */
struct crowd {
	const struct gev_fd_want *want;
	size_t n;
	void *nothing;
	const char *tag; /* where a waiter has its greenlet */
};
_Static_assert(offsetof(struct crowd, tag) == offsetof(struct waiter, g), "told apart by it");
static const char crowd_tag;

/* ---- The table ---- */

static void clear(struct table *t)
{
	for (size_t i = 0; i < t->n; i++) {
		if (t->chunks[i])
			free(t->chunks[i]->write); /* the first of them: all are one array */
		free(t->chunks[i]);
	}
	free(t->chunks);
	t->chunks = NULL;
	t->n = 0;
	t->posted = NULL;
}

static void fork_table(struct gev__hub *hub, void *data)
{
	clear(data);
	gev__odd_end(data);
	gev__tables_forked(data);
}

static void free_table(struct gev__hub *hub, void *data)
{
	gev__table_leave(data);
	gev__odd_end(data);
	clear(data);
	free(data);
}

static void settle(struct gev__hub *hub, void *data)
{
	gev__table_settle(data);
}

static __attribute__((noinline)) struct table *make(struct gev__hub *h)
{
	struct table *t = aligned_alloc(CACHE_LINE, sizeof *t);
	if (t == NULL)
		return NULL;
	*t = (struct table){.hub = h, .odd = -1};
	h->slots[GEV__SLOT_READINESS] =
		(struct gev__slot){.data = t, .told = settle, .after_fork = fork_table, .fini = free_table};
	gev__table_enter(t);
	return t;
}

/* As gev__table_of; NULL: there is none yet. */
static inline struct table *table_here(const struct gev__hub *h)
{
	return h->slots[GEV__SLOT_READINESS].data;
}

struct table *gev__table_of(struct gev__hub *h)
{
	struct table *t = table_here(h);
	return likely(t != NULL) ? t : make(h);
}

static void on_event(struct ev_loop *ev, ev_io *io, int revents);

static bool grow(struct table *t, size_t chunk)
{
	size_t n = (chunk + 1) * 2;
	struct record **chunks = calloc(n, sizeof *chunks), **before = t->chunks;
	if (chunks == NULL)
		return false;
	if (t->n)
		memcpy(chunks, before, t->n * sizeof *chunks);
	gev__table_lock(t);
	t->chunks = chunks;
	t->n = n;
	gev__table_unlock(t);
	free(before);
	return true;
}

static void side_init(struct side *side, int fd, int events)
{
	memset(side, 0, sizeof *side);
	ev_io_init(&side->io, on_event, fd, events);
	side->last = &side->first;
}

/* The write sides of a chunk, whose first record is given. */
static __attribute__((noinline)) bool add_writes(struct record *records)
{
	struct side *sides = aligned_alloc(CACHE_LINE, CHUNK * sizeof *sides);
	if (sides == NULL)
		return false;
	for (int i = 0; i < CHUNK; i++) {
		side_init(&sides[i], records[i].read.io.fd, EV_WRITE);
		records[i].write = &sides[i];
	}
	return true;
}

static __attribute__((noinline)) struct record *add(struct table *t, unsigned fd)
{
	size_t chunk = fd >> CHUNK_BITS;
	if (chunk >= t->n && !grow(t, chunk))
		return NULL;
	struct record *records = aligned_alloc(CACHE_LINE, CHUNK * sizeof *records);
	if (records == NULL)
		return NULL;
	memset(records, 0, CHUNK * sizeof *records);
	for (int i = 0; i < CHUNK; i++)
		side_init(&records[i].read, (int)(chunk << CHUNK_BITS) + i, EV_READ);
	gev__table_lock(t);
	t->chunks[chunk] = records;
	gev__table_unlock(t);
	return &records[fd & (CHUNK - 1)];
}

struct record *gev__record_make(struct table *t, unsigned fd)
{
	struct record *r = gev__record_find(t, fd);
	return likely(r != NULL) ? r : add(t, fd);
}

/* ---- Waiters ---- */

static void enqueue(struct side *side, struct waiter *w)
{
	w->side = side;
	w->next = NULL;
	w->link = side->last;
	*side->last = w;
	side->last = &w->next;
}

/* said: what the kernel said, 0: only libev knows. */
static void tell(struct ev_loop *ev, ev_io *io, int revents, uint32_t said)
{
	struct side *side = container_of(io, struct side, io);
	if (side->first == NULL) {
		/* The first one may only mean that who was woken last has not come to read yet. */
		uintptr_t idle = (uintptr_t)io->data + 1;
		io->data = (void *)idle;
		if (idle > 1) {
			ev_io_stop(ev, io);
			gev__loop_changed(gev__hub_here()->loop);
		}
		return;
	}
	io->data = NULL;
	int got = io->events & EV_READ ? GEV_READABLE : GEV_WRITABLE;
	/* libev stops the watchers of a number that epoll_ctl refuses, and feeds them EV_ERROR. */
	if (unlikely(revents & EV_ERROR))
		got = gev__sys.fcntl(io->fd, F_GETFD, 0) < 0 ? -EBADF : -ENOMEM;
	bool taken = false, alone = side->first->next == NULL;
	struct waiter *next;
	for (struct waiter *w = side->first; w; w = next) {
		next = w->next;
		if (got > 0 && !w->observes) {
			if (taken)
				continue;
			taken = true;
		} else if (got > 0 && alone) {
			got |= (int)said << SAID_SHIFT;
		}
		gev__waiter_deliver(w, got);
	}
}

static void on_event(struct ev_loop *ev, ev_io *io, int revents)
{
	tell(ev, io, revents, 0);
}

static bool heard_one(struct gev__hub *h, struct record *r, int ready, uint32_t said)
{
	bool anybody = false;
	for (int s = 0; r && s < SIDES; s++) {
		if (!(ready & (s == READ_SIDE ? GEV_READABLE : GEV_WRITABLE)))
			continue;
		struct side *side = gev__side(r, s);
		if (side == NULL || !ev_is_active(&side->io))
			continue;
		anybody = true;
		tell(gev__loop_ev(h->loop), &side->io, s == READ_SIDE ? EV_READ : EV_WRITE, said);
	}
	return anybody;
}

/* What is heard mostly: one waits, and to read. */
static inline bool tell_alone(struct side *side)
{
	struct waiter *w = side->first;
	if (unlikely(w == NULL || w->next || w->observes))
		return false;
	side->io.data = NULL;
	gev__waiter_deliver(w, GEV_READABLE);
	return true;
}

/* The loop has looked itself. Records, waiters and greenlets of a big batch are cold: they are loaded first, all at once. */
static bool heard(void *arg, const struct epoll_event *events, int n)
{
	struct gev__hub *h = gev__hub_here();
	struct table *t = arg;
	struct record *found[GEV__LOOP_BATCH];
	for (int i = 0; i < n; i++) {
		struct record *r = found[i] = gev__record_find(t, (unsigned)gev__loop_event_fd(&events[i]));
		const struct side *side = r ? gev__side(r, events[i].events & EPOLLIN ? READ_SIDE : WRITE_SIDE) : NULL;
		if (side && side->first)
			(void)*(const volatile uint8_t *)&side->first->g->state;
	}
	bool all = true;
	for (int i = 0; i < n; i++) {
		struct record *r = found[i];
		if (likely(events[i].events == EPOLLIN && r && tell_alone(&r->read)))
			continue;
		if (unlikely(gev__loop_event_fd(&events[i]) == t->odd))
			gev__odd_heard(t);
		else
			all &= heard_one(h, r, gev__loop_event_ready(&events[i]), events[i].events);
	}
	return all;
}

/* 0 or -errno. That a number is open costs 0.15 us to ask; whether epoll takes it, which of a socket is known, 1.2. */
static int cannot_watch(const struct gev__hub_loop *loop, const struct record *r, int fd, unsigned known)
{
	if ((known & GEV_FD_OPEN) && !gev__tables_shared())
		return 0;
	if ((known & GEV_FD_SOCKET) || r->type == TYPE_STREAM)
		return gev__sys.fcntl(fd, F_GETFD, 0) < 0 ? -errno : 0;
	return gev__loop_try(loop, fd);
}

/* The first wait for a number since it was opened, or since nobody was interested any more. */
static __attribute__((noinline)) int start(struct gev__hub_loop *loop, struct table *t, struct record *r,
					   struct side *side, unsigned known)
{
	static const struct gev__loop_ear ear = {heard, gev__table_hold, gev__table_release};
	int fd = side->io.fd;
	/* libev aborts on a descriptor that is not open, and on its own (ev_epoll.c, epoll_modify). */
	if (unlikely(gev__loop_internal(fd)))
		return -EBADF;
	__atomic_store_n(&r->entered, true, __ATOMIC_RELAXED); /* who sees the next line's sees it */
	__atomic_store_n(&r->used, true, __ATOMIC_SEQ_CST);
	unsigned borrowings;
	do {
		borrowings = gev__loop_settled();
		if (unlikely(gev__fd_being_closed(fd)))
			return -EALREADY;
		int refused = cannot_watch(loop, r, fd, known);
		if (unlikely(refused))
			return refused;
	} while (unlikely(gev__loop_settled() != borrowings)); /* what was found open may have been a filler */
	side->io.data = NULL;
	t->hub->busy++; /* libev may be in libc's realloc when a signal comes, and is not to be entered again */
	ev_io_start(gev__loop_ev(loop), &side->io);
	t->hub->busy--;
	gev__loop_changed(loop);
	gev__loop_listen(loop, &ear, t);
	return 0;
}

int gev__watch(struct gev__hub *h, struct table *t, int fd, int which, unsigned known, struct waiter *w)
{
	if (fd < 0)
		return -EBADF;
	int error;
	struct gev__hub_loop *loop = gev__loop_get(h, &error);
	if (unlikely(loop == NULL))
		return error;
	struct record *r = gev__record_make(t, (unsigned)fd);
	if (unlikely(r == NULL))
		return -ENOMEM;
	if (unlikely(gev__side(r, which) == NULL) && !add_writes(r - (fd & (CHUNK - 1))))
		return -ENOMEM;
	struct side *side = gev__side(r, which);
	/* Closed by another thread, and perhaps opened anew since: what is left of the old one must go first. */
	if (unlikely(__atomic_load_n(&t->posted, __ATOMIC_RELAXED) != NULL))
		gev__table_settle(t);
	if (!ev_is_active(&side->io) && (error = start(loop, t, r, side, known)) < 0)
		return error;
	enqueue(side, w);
	return 0;
}

int gev__let_close(int hint, int64_t deadline, unsigned flags)
{
	int64_t until = gev__now() + NS_PER_S / 5000;
	int r = gev__sleep_until(until < deadline ? until : deadline, flags);
	return r < 0 ? r : until < deadline ? hint : -ETIMEDOUT;
}

/* Woken, but not by an event: on. */
static __attribute__((noinline)) int park_again(struct waiter *w, int why, int64_t deadline, unsigned flags)
{
	while (why == 0 && w->got == 0)
		why = gev__park_as(w->g, deadline, flags | GEV__PARK_OUTSIDE);
	return why;
}

/* After a wait of one direction that nobody has ended by an event: r says why, of gev__watch or of gev__park. */
static __attribute__((noinline)) int gave_up(struct waiter *w, int r, int which, int64_t deadline, unsigned flags)
{
	gev__waiter_dequeue(w);
	return r == -EALREADY ? gev__let_close(1 << which, deadline, flags) : r;
}

/* The usual case, one direction. The waiter lies beside the greenlet's own fields: an event then touches no stack. r: fd's record, NULL: not looked for, or
 * not there. */
static inline __attribute__((always_inline)) int wait_one(struct gev_greenlet *g, struct table *t, struct record *r,
							  int fd, int which, int64_t deadline, unsigned flags)
{
	struct waiter *w = (struct waiter *)(void *)g->wait_room;
	struct side *side = r ? gev__side(r, which) : NULL;
	uint32_t closings = gev__closings(t);
	w->g = g;
	w->observes = w->odd = false;
	w->mask = 0;
	w->got = 0;
	/* As gev__watch, which has more to do where this is the first wait for the number. */
	if (likely(side && ev_is_active(&side->io) && !__atomic_load_n(&t->posted, __ATOMIC_RELAXED))) {
		enqueue(side, w);
	} else {
		w->link = NULL;
		int refused = gev__watch(g->hub, t, fd, which, flags, w);
		if (refused)
			return gave_up(w, refused, which, deadline, flags);
	}
	int why = gev__park_inline(g, deadline, flags | GEV__PARK_OUTSIDE);
	if (unlikely(w->got == 0 && (why = park_again(w, why, deadline, flags)) < 0 && w->got == 0))
		return gave_up(w, why, which, deadline, flags);
	/* Who delivers, dequeues. */
	if (gev__closed_since(t, w->side, closings))
		return -EBADF;
	return unlikely(why == -ECANCELED) && w->got > 0 ? why : w->got;
}

void gev__leave_note(struct gev_greenlet *g, const struct gev_fd_want *want, size_t n)
{
	*(struct crowd *)(void *)g->wait_room = (struct crowd){.want = want, .n = n, .tag = want ? &crowd_tag : NULL};
}

int gev__fd_waiting(const struct gev_greenlet *g, int *fd, int *way, const struct gev_fd_want **want)
{
	/* Whoever asks from another thread may meet it half written: each word is read once, and the records of descriptors stay. */
	const struct crowd *c = (const struct crowd *)(const void *)g->wait_room;
	*want = NULL;
	if (__atomic_load_n(&c->tag, __ATOMIC_ACQUIRE) == &crowd_tag) {
		*want = __atomic_load_n(&c->want, __ATOMIC_RELAXED);
		return (int)__atomic_load_n(&c->n, __ATOMIC_RELAXED);
	}
	const struct waiter *w = (const struct waiter *)(const void *)g->wait_room;
	const struct side *side = __atomic_load_n(&w->side, __ATOMIC_RELAXED);
	if (side == NULL || __atomic_load_n(&w->g, __ATOMIC_RELAXED) != g ||
	    __atomic_load_n(&w->link, __ATOMIC_ACQUIRE) == NULL)
		return 0;
	*fd = side->io.fd;
	*way = side->io.events & EV_READ ? GEV_READABLE : GEV_WRITABLE;
	return 1;
}

static __attribute__((noinline)) int wait_both(int fd, int64_t deadline, unsigned flags)
{
	struct gev_greenlet *g = gev__self();
	struct table *t = gev__table_of(g->hub);
	if (unlikely(t == NULL))
		return -ENOMEM;
	struct waiter w[SIDES] = {{.g = g}, {.g = g}};
	struct gev_fd_want want = {.fd = fd, .events = GEV_READABLE | GEV_WRITABLE};
	gev__leave_note(g, &want, 1);
	uint32_t closings = gev__closings(t);
	int r = gev__watch(g->hub, t, fd, READ_SIDE, flags, &w[READ_SIDE]);
	if (r == 0)
		r = gev__watch(g->hub, t, fd, WRITE_SIDE, GEV_FD_OPEN, &w[WRITE_SIDE]);
	while (r == 0) {
		r = gev__park(deadline, flags | GEV__PARK_OUTSIDE);
		int got = w[READ_SIDE].got | w[WRITE_SIDE].got;
		if (got && gev__closed_since(t, w[READ_SIDE].side, closings))
			r = -EBADF;
		else if (got && r != -ECANCELED)
			r = got < 0 ? gev__one_error(w) : got;
	}
	gev__waiter_dequeue(&w[READ_SIDE]);
	gev__waiter_dequeue(&w[WRITE_SIDE]);
	gev__leave_note(g, NULL, 0);
	return unlikely(r == -EALREADY) ? gev__let_close(GEV_READABLE | GEV_WRITABLE, deadline, flags) : r;
}

static __attribute__((noinline)) int wait_to_write(int fd, int64_t deadline, unsigned flags)
{
	struct gev_greenlet *g = gev__self();
	struct table *t = gev__table_of(g->hub);
	if (unlikely(t == NULL))
		return -ENOMEM;
	return wait_one(g, t, gev__record_find(t, (unsigned)fd), fd, WRITE_SIDE, deadline, flags);
}

int gev__fd_wait(int fd, int events, int64_t deadline, unsigned flags)
{
	if (unlikely(events != GEV_READABLE))
		return events == GEV_WRITABLE ? wait_to_write(fd, deadline, flags) : wait_both(fd, deadline, flags);
	struct gev_greenlet *g = gev__self();
	struct table *t = gev__table_of(g->hub);
	if (unlikely(t == NULL))
		return -ENOMEM;
	return wait_one(g, t, gev__record_find(t, (unsigned)fd), fd, READ_SIDE, deadline, flags);
}

int gev__fd_await_more(int fd, int64_t deadline)
{
	struct gev_greenlet *g = gev__self();
	struct table *t = table_here(g->hub);
	struct record *r = gev__record_find(t, (unsigned)fd);
	if (r == NULL || !r->drained)
		return 0;
	int got = wait_one(g, t, r, fd, READ_SIDE, deadline, GEV_PARK_KILLABLE);
	return got < 0 ? got : 0;
}

/* To note something in: NULL before anybody has waited, or without memory. */
static struct record *noted(struct gev__hub *h, int fd)
{
	struct table *t = h->loop ? gev__table_of(h) : NULL;
	struct record *r = t ? gev__record_make(t, (unsigned)fd) : NULL;
	if (r && !r->used) /* so that its closing is heard of */
		__atomic_store_n(&r->used, true, __ATOMIC_SEQ_CST);
	return r;
}

static uint8_t type_of(struct record *r, int fd)
{
	if (unlikely(r->type == TYPE_UNKNOWN)) {
		int type = 0;
		socklen_t size = sizeof type;
		bool stream = gev__sys.getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_STREAM;
		r->type = stream ? TYPE_STREAM : TYPE_OTHER;
	}
	return r->type;
}

static __attribute__((noinline)) void note(struct gev__hub *h, int fd, bool took_all)
{
	struct record *r = noted(h, fd);
	if (r && r->drained != took_all)
		r->drained = took_all && type_of(r, fd) == TYPE_STREAM;
}

void gev__fd_note_accepted(int listener, int fd)
{
	struct gev__hub *h = gev__hub_here();
	struct record *from = noted(h, listener), *r = noted(h, fd);
	if (from && r)
		r->type = type_of(from, listener);
}

void gev__fd_note_read(int fd, bool took_all)
{
	struct gev__hub *h = gev__hub_here();
	const struct record *r = gev__record_find(table_here(h), (unsigned)fd);
	if (unlikely(r == NULL || r->drained != took_all))
		note(h, fd, took_all);
}

bool gev__fd_drained(int fd)
{
	struct gev__hub *h = gev__hub_here();
	const struct record *r = gev__record_find(table_here(h), (unsigned)fd);
	return r && r->drained;
}
