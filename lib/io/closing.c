/* The end of a descriptor number: its waiters return, its watchers stop, and nothing of it is taken for the next descriptor of that number.
 *
 * The closer may be any OS thread. Its own hub's records it changes itself. To every other hub that uses the number it posts the record, and wakes
 * that hub, which settles what was posted before it begins a wait, and before it believes an event.
 *
 *      closer:  begin(range)   post   (the real close)   end(range)
 *      hub:     used = true    being closed? later    open? else EBADF    start the watcher    hold, settle, libev's epoll_ctl, release
 *
 * libev ends the process when it starts to watch a number that is not open (ev_epoll.c, epoll_modify). It cannot come to that: who closes has either
 * seen `used` and posted, and the post, which needs the lock that the hub holds while libev speaks to the kernel, is settled before the next time;
 * or has not seen it, and then the hub finds the number being closed, or closed. A close that lingers has given the number away long before
 * it returns (close(2)), so a number that is being closed may be open anew: he who would wait for it naps, and asks the kernel. A number found open
 * while a hub that is being made fills the low ones may be such a filler, which goes without a word: then it is asked for again. */
#include <errno.h>
#include <limits.h>
#include <sys/epoll.h>

#include "lib/base/sys.h"
#include "lib/core/hub-loop.h"
#include "lib/core/hub.h"
#include "lib/io/odd.h"
#include "lib/io/readiness.h"
#include "lib/io/record.h"

static struct gev__lock tables_lock;
static struct table *tables;
static unsigned tables_n; /* atomic, changed under the lock */
static bool strangers;    /* atomic: a thread without a table has closed something */

/* ---- Ranges that are being closed ---- */

enum { RANGES = 64 };

/* first << 32 | last << 1 | 1; 0: free. */
static uint64_t ranges[RANGES];
static unsigned ranges_n; /* how many have ever been taken at once */

static uint64_t pack(unsigned first, unsigned last)
{
	return (uint64_t)first << 32 | (uint64_t)(last < INT_MAX ? last : INT_MAX) << 1 | 1;
}

static void begin(unsigned first, unsigned last)
{
	for (unsigned i = 0;; i = (i + 1) % RANGES) {
		uint64_t empty = 0;
		if (__atomic_compare_exchange_n(&ranges[i], &empty, pack(first, last), false, __ATOMIC_SEQ_CST,
						__ATOMIC_RELAXED)) {
			unsigned n = __atomic_load_n(&ranges_n, __ATOMIC_SEQ_CST);
			while (n < i + 1 && !__atomic_compare_exchange_n(&ranges_n, &n, i + 1, true, __ATOMIC_SEQ_CST,
									 __ATOMIC_SEQ_CST))
				;
			return;
		}
		if (i == RANGES - 1)
			gev__sys.sched_yield();
	}
}

static void end(unsigned first, unsigned last)
{
	for (unsigned i = 0; i < RANGES; i++) {
		uint64_t mine = pack(first, last);
		if (__atomic_compare_exchange_n(&ranges[i], &mine, 0, false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
			return;
	}
}

bool gev__fd_being_closed(int fd)
{
	unsigned n = __atomic_load_n(&ranges_n, __ATOMIC_SEQ_CST);
	for (unsigned i = 0; i < n; i++) {
		uint64_t range = __atomic_load_n(&ranges[i], __ATOMIC_SEQ_CST);
		if (range && (unsigned)fd >= range >> 32 && (unsigned)fd <= (range & UINT32_MAX) >> 1)
			return true;
	}
	return false;
}

/* ---- A hub's records ---- */

/* Always once a watcher was started, also when none is any more (libev leaves a stopped one's descriptor in the set until its next event): who else
 * holds the description, through a dup, a fork, a posix_spawn, a message, cannot be known, and its late events would make libev open another epoll
 * descriptor. Where nobody does it costs nothing: a close that has to take a socket out of a set is dearer by as much (measured: 2.8 us for both calls, 2.9
 * for the close alone). ENOENT: it never got there, or libev had taken it out. */
static void leave_set(const struct gev__hub_loop *loop, const struct record *r, int fd)
{
	int epoll = loop && __atomic_load_n(&r->entered, __ATOMIC_RELAXED) ? gev__loop_epoll(loop) : -1;
	struct epoll_event none = {0};
	if (epoll >= 0)
		gev__sys.epoll_ctl(epoll, EPOLL_CTL_DEL, fd, &none);
}

static void close_record(struct table *t, struct record *r)
{
	struct gev__hub_loop *loop = t->hub->loop;
	int fd = r->read.io.fd;
	for (int s = 0; s < SIDES && loop; s++) {
		struct side *side = gev__side(r, s);
		if (side == NULL)
			continue;
		ev_io_stop(gev__loop_ev(loop), &side->io);
		/* Setting it anew makes libev call epoll_ctl at the next start, although number and mask are the same. */
		ev_io_set(&side->io, fd, s == READ_SIDE ? EV_READ : EV_WRITE);
		while (side->first)
			gev__waiter_deliver(side->first, -EBADF);
	}
	while (r->others)
		gev__waiter_deliver(r->others, -EBADF);
	if (loop)
		gev__loop_changed(loop);
	r->closed_at = __atomic_add_fetch(&t->closings, 1, __ATOMIC_RELAXED);
	__atomic_store_n(&r->used, false, __ATOMIC_SEQ_CST);
	__atomic_store_n(&r->entered, false, __ATOMIC_RELAXED);
	r->drained = r->odd_idle = false;
	r->odd_armed = 0;
	r->type = TYPE_UNKNOWN;
}

static void settle_locked(struct table *t)
{
	while (t->posted) {
		struct record *r = t->posted;
		__atomic_store_n(&t->posted, r->next_posted, __ATOMIC_RELAXED);
		r->posted = false;
		close_record(t, r);
	}
}

/* A signal handler that interrupts us here may close something too. */
void gev__table_lock(struct table *t)
{
	t->hub->busy++;
	gev__lock(&t->lock);
}

void gev__table_unlock(struct table *t)
{
	gev__unlock(&t->lock);
	t->hub->busy--;
}

void gev__table_settle(struct table *t)
{
	if (__atomic_load_n(&t->posted, __ATOMIC_RELAXED) == NULL)
		return;
	gev__table_lock(t);
	settle_locked(t);
	gev__table_unlock(t);
}

void gev__table_hold(void *table)
{
	gev__table_lock(table);
	settle_locked(table);
}

void gev__table_release(void *table)
{
	gev__table_unlock(table);
}

bool gev__closed_slowly(struct table *t, const struct side *side, uint32_t closings)
{
	gev__table_settle(t);
	return (int32_t)(gev__record_find(t, (size_t)side->io.fd)->closed_at - closings) > 0;
}

static void close_own(struct table *t, unsigned first, unsigned last)
{
	size_t n = t->n << CHUNK_BITS;
	gev__table_settle(t);
	for (size_t fd = first; fd <= last && fd < n; fd++) {
		struct record *r = gev__record_find(t, fd);
		if (r == NULL) {
			fd |= CHUNK - 1; /* nothing in this chunk */
		} else if (r->used) {
			leave_set(t->hub->loop, r, (int)fd);
			if (r->odd_armed)
				gev__odd_close(t, (int)fd);
			close_record(t, r);
		}
	}
}

static void post(struct table *t, unsigned first, unsigned last)
{
	bool posted = false;
	gev__lock(&t->lock);
	size_t n = t->n << CHUNK_BITS;
	for (size_t fd = first; fd <= last && fd < n; fd++) {
		struct record *r = gev__record_find(t, fd);
		if (r == NULL) {
			fd |= CHUNK - 1;
			continue;
		}
		if (!__atomic_load_n(&r->used, __ATOMIC_SEQ_CST))
			continue;
		leave_set(__atomic_load_n(&t->hub->loop, __ATOMIC_ACQUIRE), r, (int)fd);
		gev__odd_close(t, (int)fd);
		if (!r->posted) {
			r->posted = true;
			r->next_posted = t->posted;
			__atomic_store_n(&t->posted, r, __ATOMIC_RELEASE);
		}
		posted = true;
	}
	if (posted)
		__atomic_add_fetch(&t->closings, 1, __ATOMIC_RELEASE);
	gev__unlock(&t->lock);
	if (posted)
		gev__hub_tell(t->hub);
}

/* ---- All tables ---- */

void gev__table_enter(struct table *t)
{
	gev__lock(&tables_lock);
	t->next = tables;
	t->link = &tables;
	if (tables)
		tables->link = &t->next;
	tables = t;
	__atomic_add_fetch(&tables_n, 1, __ATOMIC_SEQ_CST);
	gev__unlock(&tables_lock);
}

void gev__table_leave(struct table *t)
{
	gev__lock(&tables_lock);
	*t->link = t->next;
	if (t->next)
		t->next->link = t->link;
	__atomic_sub_fetch(&tables_n, 1, __ATOMIC_SEQ_CST);
	gev__unlock(&tables_lock);
}

void gev__tables_forked(struct table *t)
{
	tables_lock = (struct gev__lock){0};
	tables = NULL;
	tables_n = 0;
	strangers = false;
	for (unsigned i = 0; i < RANGES; i++)
		ranges[i] = 0;
	if (t) {
		t->lock = (struct gev__lock){0};
		gev__table_enter(t);
	}
}

bool gev__tables_shared(void)
{
	return __atomic_load_n(&strangers, __ATOMIC_SEQ_CST) || __atomic_load_n(&tables_n, __ATOMIC_SEQ_CST) > 1;
}

void gev__fds_closing(unsigned first, unsigned last)
{
	int saved = errno;
	begin(first, last);
	struct gev__hub *h = gev__hub_here();
	if (h)
		h->busy++;
	struct table *own = h ? h->slots[GEV__SLOT_READINESS].data : NULL;
	if (own)
		close_own(own, first, last);
	else if (!__atomic_load_n(&strangers, __ATOMIC_RELAXED))
		__atomic_store_n(&strangers, true, __ATOMIC_SEQ_CST);
	/* Usually there is one hub, or none. */
	if (__atomic_load_n(&tables_n, __ATOMIC_SEQ_CST) > (own != NULL)) {
		gev__lock(&tables_lock);
		for (struct table *t = tables; t; t = t->next)
			if (t != own)
				post(t, first, last);
		gev__unlock(&tables_lock);
	}
	if (h)
		h->busy--;
	errno = saved;
}

void gev__fds_closed(unsigned first, unsigned last)
{
	end(first, last);
}

void gev__fd_closing(int fd)
{
	gev__fds_closing((unsigned)fd, (unsigned)fd);
}

void gev__fd_closed(int fd)
{
	gev__fds_closed((unsigned)fd, (unsigned)fd);
}
