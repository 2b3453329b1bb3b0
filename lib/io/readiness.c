/* Descriptor readiness on libev.
 *
 * One waiter is woken per event and direction: whoever comes first and means to read. If he leaves data behind, the level-triggered set says so at the next
 * poll, and the next waiter gets it. Observers (poll, select), who take nothing away, are all woken.
 * Before a number is closed its watchers are stopped and set anew, because libev would otherwise believe that the kernel still watches the
 * next descriptor of that number; and a descriptor that somebody else still holds is taken out of the epoll set, because its late events would make
 * libev rebuild the whole set. */
#include "lib/io/readiness.h"

#include <errno.h>
#include <ev.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "lib/base/log.h"
#include "lib/base/macros.h"
#include "lib/base/sys.h"
#include "lib/core/hub-loop.h"
#include "lib/core/hub.h"
#include "lib/core/park.h"
#include "lib/io/nest.h"

enum { READ_SIDE, WRITE_SIDE, SIDES };
struct side;

struct waiter {
	struct side *side; /* first, as wait_room wants it */
	struct waiter *next;
	struct waiter **link; /* NULL: not queued */
	struct gev_greenlet *g;
	bool observes;
	int got; /* GEV_READABLE, GEV_WRITABLE, or -EBADF */
};
_Static_assert(sizeof(struct waiter) <= GEV__WAIT_ROOM * sizeof(void *), "a waiter fits into its room");

/* In the place of a waiter, for observers, while the greenlet waits for more than that one could say. */
struct crowd {
	const struct gev_fd_want *want;
	size_t n;
	void *nothing;
	const char *tag; /* where a waiter has its greenlet */
};
_Static_assert(offsetof(struct crowd, tag) == offsetof(struct waiter, g), "told apart by it");
static const char crowd_tag;

/* One cache line: with thousands of descriptors each line that an event touches is a miss. io.data counts the events in a row that found nobody. */
struct side {
	ev_io io;
	struct waiter *first;
	struct waiter **last;
} __attribute__((aligned(CACHE_LINE)));

struct record {
	struct side side[SIDES];
	bool drained; /* nothing to read when last looked at: see gev__fd_note_read */
	uint8_t type; /* enum type */
	bool used;    /* a watcher was started since the number was last closed */
};

/* Asked once: of anything but a stream a short read says nothing about what is left. */
enum type { TYPE_UNKNOWN, TYPE_STREAM, TYPE_OTHER };

enum { CHUNK_BITS = 8, CHUNK = 1 << CHUNK_BITS };

struct table {
	struct record **chunks;
	size_t n;
};

/* ---- The table ---- */

static void fork_table(struct gev__hub *hub, void *data)
{
	struct table *t = data;
	for (size_t i = 0; i < t->n; i++)
		free(t->chunks[i]);
	free(t->chunks);
	t->chunks = NULL;
	t->n = 0;
}

static void free_table(struct gev__hub *hub, void *data)
{
	fork_table(hub, data);
	free(data);
}

static struct table *table_of(struct gev__hub *h)
{
	struct gev__slot *slot = &h->slots[GEV__SLOT_READINESS];
	if (likely(slot->data != NULL))
		return slot->data;
	struct table *t = calloc(1, sizeof *t);
	if (t == NULL)
		return NULL;
	*slot = (struct gev__slot){.data = t, .after_fork = fork_table, .fini = free_table};
	return t;
}

static struct record *find(const struct table *t, unsigned fd)
{
	size_t chunk = fd >> CHUNK_BITS;
	if (t == NULL || chunk >= t->n || t->chunks[chunk] == NULL)
		return NULL;
	return &t->chunks[chunk][fd & (CHUNK - 1)];
}

static void on_event(struct ev_loop *ev, ev_io *io, int revents);

static struct record *make(struct table *t, unsigned fd)
{
	size_t chunk = fd >> CHUNK_BITS;
	if (chunk >= t->n) {
		size_t n = (chunk + 1) * 2;
		struct record **chunks = realloc(t->chunks, n * sizeof *chunks);
		if (chunks == NULL)
			return NULL;
		memset(chunks + t->n, 0, (n - t->n) * sizeof *chunks);
		t->chunks = chunks;
		t->n = n;
	}
	if (t->chunks[chunk] == NULL) {
		struct record *records = aligned_alloc(CACHE_LINE, CHUNK * sizeof *records);
		if (records == NULL)
			return NULL;
		memset(records, 0, CHUNK * sizeof *records);
		for (int i = 0; i < CHUNK; i++) {
			for (int s = 0; s < SIDES; s++) {
				struct side *side = &records[i].side[s];
				ev_io_init(&side->io, on_event, (int)(chunk << CHUNK_BITS) + i,
					   s == READ_SIDE ? EV_READ : EV_WRITE);
				side->last = &side->first;
			}
		}
		t->chunks[chunk] = records;
	}
	return &t->chunks[chunk][fd & (CHUNK - 1)];
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

static void dequeue(struct waiter *w)
{
	if (w->link == NULL)
		return;
	*w->link = w->next;
	if (w->next)
		w->next->link = w->link;
	else
		w->side->last = w->link;
	w->link = NULL;
}

static void deliver(struct waiter *w, int got)
{
	dequeue(w);
	w->got = got;
	gev__wake_here(w->g);
}

static void on_event(struct ev_loop *ev, ev_io *io, int revents)
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
	/* libev stops the watchers of a number that epoll_ctl says is not open, and feeds them EV_ERROR. */
	int got = revents & EV_ERROR ? -EBADF : io->events & EV_READ ? GEV_READABLE : GEV_WRITABLE;
	bool taken = false;
	struct waiter *next;
	for (struct waiter *w = side->first; w; w = next) {
		next = w->next;
		if (got > 0 && !w->observes) {
			if (taken)
				continue;
			taken = true;
		}
		deliver(w, got);
	}
}

static bool heard_one(struct gev__hub *h, struct record *r, int ready)
{
	bool anybody = false;
	for (int s = 0; r && s < SIDES; s++) {
		if (!(ready & (s == READ_SIDE ? GEV_READABLE : GEV_WRITABLE)))
			continue;
		ev_io *io = &r->side[s].io;
		if (!ev_is_active(io))
			continue;
		anybody = true;
		on_event(gev__loop_ev(h->loop), io, s == READ_SIDE ? EV_READ : EV_WRITE);
	}
	return anybody;
}

/* The loop has looked itself. Records, waiters and greenlets of a big batch are cold: they are loaded first, all at once. */
static bool heard(void *arg, const struct epoll_event *events, int n)
{
	enum { WORTH_IT = 16 };
	struct gev__hub *h = gev__hub_here();
	int ready;
	for (int i = 0; i < n && n >= WORTH_IT; i++) {
		const struct record *r = find(arg, (unsigned)gev__loop_event(&events[i], &ready));
		const struct waiter *w = r ? r->side[ready & GEV_READABLE ? READ_SIDE : WRITE_SIDE].first : NULL;
		if (w)
			(void)*(const volatile uint8_t *)&w->g->state;
	}
	bool all = true;
	for (int i = 0; i < n; i++) {
		struct record *r = find(arg, (unsigned)gev__loop_event(&events[i], &ready));
		all &= heard_one(h, r, ready);
	}
	return all;
}

/* Queues w on one side of fd and has it watched. */
static int watch(struct gev__hub *h, struct table *t, int fd, int which, bool open, struct waiter *w)
{
	if (fd < 0)
		return -EBADF;
	int error;
	struct gev__hub_loop *loop = gev__loop_get(h, &error);
	if (unlikely(loop == NULL))
		return error;
	struct record *r = find(t, (unsigned)fd);
	if (unlikely(r == NULL) && (r = make(t, (unsigned)fd)) == NULL)
		return -ENOMEM;
	struct side *side = &r->side[which];
	if (!ev_is_active(&side->io)) {
		/* libev aborts on a descriptor that is not open, and on its own (ev_epoll.c, epoll_modify). */
		if (unlikely(gev__loop_internal(fd)))
			return -EBADF;
		if (!open && gev__sys.fcntl(fd, F_GETFD, 0) < 0)
			return -errno;
		r->used = true;
		side->io.data = NULL;
		h->busy++; /* libev may be in libc's realloc when a signal comes, and is not to be entered again */
		ev_io_start(gev__loop_ev(loop), &side->io);
		h->busy--;
		gev__loop_changed(loop);
		gev__loop_listen(loop, heard, t);
	}
	enqueue(side, w);
	return 0;
}

/* The usual case, one direction. The waiter lies beside the greenlet's own fields: an event then touches no stack. */
static int wait_one(int fd, int which, int64_t deadline, unsigned flags)
{
	struct gev_greenlet *g = gev__self();
	struct table *t = table_of(g->hub);
	if (unlikely(t == NULL))
		return -ENOMEM;
	struct waiter *w = (struct waiter *)(void *)g->wait_room;
	*w = (struct waiter){.g = g};
	int r = watch(g->hub, t, fd, which, flags & GEV_FD_OPEN, w);
	while (r == 0) {
		r = gev__park(deadline, flags);
		if (likely(w->got != 0))
			return r == -ECANCELED && w->got > 0 ? r : w->got; /* who delivers, dequeues */
	}
	dequeue(w);
	return r;
}

static void leave_note(struct gev_greenlet *g, const struct gev_fd_want *want, size_t n)
{
	*(struct crowd *)(void *)g->wait_room = (struct crowd){.want = want, .n = n, .tag = want ? &crowd_tag : NULL};
}

int gev__fd_waiting(const struct gev_greenlet *g, int *fd, int *way)
{
	const struct crowd *c = (const struct crowd *)(const void *)g->wait_room;
	if (c->tag == &crowd_tag) {
		*fd = c->n ? c->want->fd : -1;
		*way = c->n ? c->want->events : 0;
		return (int)c->n;
	}
	const struct waiter *w = (const struct waiter *)(const void *)g->wait_room;
	if (w->g != g || w->link == NULL)
		return 0;
	*fd = w->side->io.fd;
	*way = w->side->io.events & EV_READ ? GEV_READABLE : GEV_WRITABLE;
	return 1;
}

static __attribute__((noinline)) int wait_both(int fd, int64_t deadline, unsigned flags)
{
	struct gev_greenlet *g = gev__self();
	struct table *t = table_of(g->hub);
	if (unlikely(t == NULL))
		return -ENOMEM;
	struct waiter w[SIDES] = {{.g = g}, {.g = g}};
	struct gev_fd_want want = {.fd = fd, .events = GEV_READABLE | GEV_WRITABLE};
	leave_note(g, &want, 1);
	int r = watch(g->hub, t, fd, READ_SIDE, flags & GEV_FD_OPEN, &w[READ_SIDE]);
	if (r == 0)
		r = watch(g->hub, t, fd, WRITE_SIDE, true, &w[WRITE_SIDE]);
	while (r == 0) {
		r = gev__park(deadline, flags);
		int got = w[READ_SIDE].got | w[WRITE_SIDE].got;
		if (got && r != -ECANCELED)
			r = got < 0 ? -EBADF : got;
	}
	dequeue(&w[READ_SIDE]);
	dequeue(&w[WRITE_SIDE]);
	leave_note(g, NULL, 0);
	return r;
}

int gev__fd_wait(int fd, int events, int64_t deadline, unsigned flags)
{
	if (likely(events == GEV_READABLE))
		return wait_one(fd, READ_SIDE, deadline, flags);
	if (events == GEV_WRITABLE)
		return wait_one(fd, WRITE_SIDE, deadline, flags);
	return wait_both(fd, deadline, flags);
}

void gev__fd_note_read(int fd, bool took_all)
{
	struct gev__hub *h = gev__hub_here();
	struct table *t = h->loop ? table_of(h) : NULL;
	struct record *r = t ? make(t, (unsigned)fd) : NULL;
	if (r == NULL || r->drained == took_all)
		return;
	if (unlikely(r->type == TYPE_UNKNOWN)) {
		int type = 0;
		socklen_t size = sizeof type;
		bool stream = gev__sys.getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_STREAM;
		r->type = stream ? TYPE_STREAM : TYPE_OTHER;
	}
	r->drained = took_all && r->type == TYPE_STREAM;
	r->used = true;
}

bool gev__fd_drained(int fd)
{
	struct gev__hub *h = gev__hub_here();
	const struct record *r = find(h->slots[GEV__SLOT_READINESS].data, (unsigned)fd);
	return r && r->drained;
}

/* ---- Many at once ---- */

static int watch_all(struct gev__hub *h, struct table *t, const struct gev_fd_want *want, size_t n, int nest,
		     struct waiter *w)
{
	for (size_t i = 0; i < n; i++) {
		if (want[i].fd < 0)
			continue;
		for (int s = 0; s < SIDES; s++) {
			if (!(want[i].events & (s == READ_SIDE ? GEV_READABLE : GEV_WRITABLE)))
				continue;
			int r = watch(h, t, want[i].fd, s, false, &w[i * SIDES + (size_t)s]);
			if (r < 0)
				return r;
		}
	}
	return nest >= 0 ? watch(h, t, nest, READ_SIDE, true, &w[n * SIDES]) : 0;
}

static int collect(const struct waiter *w, size_t n)
{
	int ready = 0;
	for (size_t i = 0; i < n; i++) {
		/* NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult): gev__fds_wait has set all n * SIDES + 1 of them. */
		int got = w[i * SIDES].got | w[i * SIDES + 1].got;
		if (got < 0)
			return -EBADF;
		ready += got != 0;
	}
	return ready + (w[n * SIDES].got != 0);
}

int gev__fds_wait(const struct gev_fd_want *want, size_t n, int64_t deadline, unsigned flags)
{
	enum { ON_STACK = 8 };
	struct gev_greenlet *g = gev__self();
	struct table *t = table_of(g->hub);
	if (t == NULL)
		return -ENOMEM;
	int nest;
	int r = gev__nest_odd(want, n, &nest);
	struct waiter few[ON_STACK * SIDES + 1];
	struct waiter *w = few;
	size_t count = n * SIDES + 1;
	if (r == 0 && n > ON_STACK && (w = malloc(count * sizeof *w)) == NULL)
		r = -ENOMEM;
	if (r == 0) {
		for (size_t i = 0; i < count; i++)
			w[i] = (struct waiter){.g = g, .observes = true};
		r = watch_all(g->hub, t, want, n, nest, w);
		if (nest >= 0)
			gev__loop_claim(nest); /* a program that closes all numbers must not reach it while we sleep */
		leave_note(g, want, n);
		while (r == 0) {
			r = gev__park(deadline, flags);
			int ready = collect(w, n);
			if (ready != 0)
				r = ready;
		}
		leave_note(g, NULL, 0);
		for (size_t i = 0; i < count; i++)
			dequeue(&w[i]);
		if (w != few)
			free(w);
	}
	if (nest >= 0) {
		gev__loop_disclaim(nest);
		gev__fd_closing(nest);
		gev__sys.close(nest);
	}
	return r == -ETIMEDOUT ? 0 : r;
}

/* ---- Closing ---- */

static void close_record(struct gev__hub *h, struct record *r)
{
	if (!r->used)
		return;
	struct ev_loop *ev = gev__loop_ev(h->loop);
	int fd = r->side[READ_SIDE].io.fd;
	h->busy++;
	for (int s = 0; s < SIDES; s++) {
		struct side *side = &r->side[s];
		ev_io_stop(ev, &side->io);
		/* Setting it anew makes libev call epoll_ctl at the next start, although number and mask are the same. */
		ev_io_set(&side->io, fd, s == READ_SIDE ? EV_READ : EV_WRITE);
		while (side->first)
			deliver(side->first, -EBADF);
	}
	/* Always, also when no watcher is started any more (libev leaves a stopped one's descriptor in the set until its next event): who
	 * else holds the description, through a dup, a fork, a posix_spawn, a message, cannot be known, and its late events would make libev
	 * open another epoll descriptor at a low number. ENOENT: it never got there, or libev had taken it out. */
	int epoll = gev__loop_epoll(h->loop);
	if (epoll >= 0) {
		int saved = errno;
		struct epoll_event none = {0};
		gev__sys.epoll_ctl(epoll, EPOLL_CTL_DEL, fd, &none);
		errno = saved;
	}
	gev__loop_changed(h->loop);
	r->used = r->drained = false;
	r->type = TYPE_UNKNOWN;
	h->busy--;
}

void gev__fd_closing(int fd)
{
	gev__fds_closing((unsigned)fd, (unsigned)fd);
}

void gev__fds_closing(unsigned first, unsigned last)
{
	struct gev__hub *h = gev__hub_here();
	struct table *t = h ? h->slots[GEV__SLOT_READINESS].data : NULL;
	if (t == NULL || h->loop == NULL)
		return;
	size_t end = t->n << CHUNK_BITS;
	for (size_t fd = first; fd <= last && fd < end; fd++) {
		struct record *r = find(t, (unsigned)fd);
		if (r)
			close_record(h, r);
		else
			fd |= CHUNK - 1; /* nothing in this chunk */
	}
}
