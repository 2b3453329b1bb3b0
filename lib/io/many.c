/* Waiting for many descriptors at once, and for what libev cannot say. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>

#include "lib/base/sys.h"
#include "lib/core/deadlock.h"
#include "lib/core/hub-loop.h"
#include "lib/core/timeout.h"
#include "lib/io/nest.h"
#include "lib/io/odd.h"
#include "lib/io/readiness.h"
#include "lib/io/record.h"

/* Queues w to be told of fd's closing, and of nothing else: what it waits for is watched elsewhere. */
static int watch_closing(struct table *t, int fd, struct waiter *w)
{
	struct record *r = gev__record_make(t, (unsigned)fd);
	if (r == NULL)
		return -ENOMEM;
	gev__table_settle(t);
	__atomic_store_n(&r->used, true, __ATOMIC_SEQ_CST);
	if (gev__fd_being_closed(fd))
		return -EALREADY;
	w->next = r->others;
	w->link = &r->others;
	if (w->next)
		w->next->link = &w->next;
	r->others = w;
	return 0;
}

/* Before their descriptors are put into the set of their own: whoever closes one from now on is heard. */
static int watch_closings(struct table *t, const struct gev_fd_want *want, size_t n, struct waiter *w)
{
	for (size_t i = 0; i < n; i++) {
		int r = want[i].fd >= 0 && want[i].poll_events ? watch_closing(t, want[i].fd, &w[i * SIDES]) : 0;
		if (r < 0)
			return r;
	}
	return 0;
}

static int watch_all(struct gev__hub *h, struct table *t, const struct gev_fd_want *want, size_t n, int nest,
		     struct waiter *w)
{
	for (size_t i = 0; i < n; i++) {
		if (want[i].fd < 0)
			continue;
		for (int s = 0; s < SIDES; s++) {
			if (!(want[i].events & (s == READ_SIDE ? GEV_READABLE : GEV_WRITABLE)))
				continue;
			int r = gev__watch(h, t, want[i].fd, s, 0, &w[i * SIDES + (size_t)s]);
			if (r < 0)
				return r;
		}
	}
	return nest >= 0 ? gev__watch(h, t, nest, READ_SIDE, GEV_FD_OPEN, &w[n * SIDES]) : 0;
}

static int collect(struct table *t, const struct waiter *w, size_t n, uint32_t closings)
{
	int ready = 0;
	for (size_t i = 0; i < n; i++) {
		const struct waiter *both = &w[i * SIDES];
		/* NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult): gev__fds_wait has set all n * SIDES + 1 of them. */
		int got = both[READ_SIDE].got | both[WRITE_SIDE].got;
		if (got < 0)
			return gev__one_error(both);
		if (got && gev__closed_since(t, both[both[READ_SIDE].got == 0].side, closings))
			return -EBADF;
		ready += got != 0;
	}
	return ready + (w[n * SIDES].got != 0);
}

static int wait_for_many(struct gev_greenlet *g, struct table *t, const struct gev_fd_want *want, size_t n,
			 int64_t deadline, unsigned flags, struct waiter *w)
{
	size_t count = n * SIDES + 1;
	for (size_t i = 0; i < count; i++)
		w[i] = (struct waiter){.g = g, .observes = true};
	uint32_t closings = gev__closings(t);
	int nest = -1;
	int r = watch_closings(t, want, n, w);
	if (r == 0)
		r = gev__nest_odd(want, n, &nest);
	if (r == 0)
		r = watch_all(g->hub, t, want, n, nest, w);
	if (nest >= 0)
		gev__loop_claim(nest); /* a program that closes all numbers must not reach it while we sleep */
	gev__leave_note(g, want, n);
	while (r == 0) {
		r = gev__park(deadline, flags | GEV__PARK_OUTSIDE);
		int ready = collect(t, w, n, closings);
		if (ready != 0)
			r = ready;
	}
	gev__leave_note(g, NULL, 0);
	for (size_t i = 0; i < count; i++)
		gev__waiter_dequeue(&w[i]);
	if (nest >= 0) {
		gev__loop_disclaim(nest);
		gev__fd_closing(nest);
		gev__sys.close(nest);
		gev__fd_closed(nest);
	}
	return r;
}

/* One descriptor is the usual case. Positive: as a waiter's got. */
static int wait_odd(struct gev_greenlet *g, struct table *t, const struct gev_fd_want *want, int64_t deadline,
		    unsigned flags)
{
	struct waiter w = {.g = g, .observes = true, .odd = true, .mask = (uint16_t)want->poll_events};
	uint32_t closings = gev__closings(t);
	gev__leave_note(g, want, 1);
	int r = watch_closing(t, want->fd, &w);
	if (r == 0)
		r = gev__odd_arm(t, want->fd, (uint16_t)want->poll_events);
	while (r == 0) {
		r = gev__park(deadline, flags | GEV__PARK_OUTSIDE);
		if (w.got > 0 && gev__closed_since(t, &gev__record_find(t, (size_t)want->fd)->read, closings))
			r = -EBADF;
		else if (w.got != 0)
			r = w.got;
	}
	gev__leave_note(g, NULL, 0);
	gev__waiter_dequeue(&w);
	return r;
}

int gev__fds_wait(const struct gev_fd_want *want, size_t n, int64_t deadline, unsigned flags)
{
	enum { ON_STACK = 8 };
	struct gev_greenlet *g = gev__self();
	struct table *t = gev__table_of(g->hub);
	if (t == NULL)
		return -ENOMEM;
	struct waiter few[ON_STACK * SIDES + 1], *w = few;
	int r;
	if (n == 1 && want->fd >= 0 && want->poll_events) {
		r = wait_odd(g, t, want, deadline, flags);
		r = r > 0 ? 1 : r;
	} else {
		if (n > ON_STACK && (w = malloc((n * SIDES + 1) * sizeof *w)) == NULL)
			return -ENOMEM;
		r = wait_for_many(g, t, want, n, deadline, flags, w);
	}
	if (w != few)
		free(w);
	if (r == -EALREADY)
		r = gev__let_close(1, deadline, flags);
	/* Its own deadline is no error, that of a gev_timeout around it is. */
	return r == -ETIMEDOUT && !gev__timeout_was_it(g, flags) ? 0 : r;
}

/* For one way. Positive: as a waiter's got. The waiter lies where gev__fd_wait has it. */
static int wait_observing(struct gev_greenlet *g, struct table *t, const struct gev_fd_want *want, int64_t deadline,
			  unsigned flags)
{
	struct waiter *w = (struct waiter *)(void *)g->wait_room;
	*w = (struct waiter){.g = g, .observes = true};
	uint32_t closings = gev__closings(t);
	int r = gev__watch(g->hub, t, want->fd, want->events == GEV_READABLE ? READ_SIDE : WRITE_SIDE, 0, w);
	while (r == 0) {
		r = gev__park(deadline, flags | GEV__PARK_OUTSIDE);
		if (w->got > 0 && gev__closed_since(t, w->side, closings))
			r = -EBADF;
		else if (w->got != 0)
			r = w->got;
	}
	gev__waiter_dequeue(w);
	return r;
}

int gev__fd_poll(int fd, int mask, int64_t deadline, unsigned flags)
{
	struct gev_greenlet *g = gev__self();
	struct table *t = gev__table_of(g->hub);
	struct gev_fd_want want;
	struct pollfd asked = {.fd = fd, .events = (short)mask};
	if (t == NULL)
		return -ENOMEM;
	int r;
	if (gev_fd_wants(&want, &asked, 1) == 0)
		return GEV_FD_ASK;
	if (want.poll_events)
		r = wait_odd(g, t, &want, deadline, flags);
	else if (want.events != (GEV_READABLE | GEV_WRITABLE))
		r = wait_observing(g, t, &want, deadline, flags);
	else
		r = gev__fds_wait(&want, 1, deadline, flags);
	if (r > 0) {
		/* libev's set does not know POLLRDNORM and POLLWRNORM. */
		int said = want.poll_events || (mask & ~(POLLIN | POLLOUT)) == 0 ? gev__said(r) : 0;
		said &= mask | POLLERR | POLLHUP;
		return said ? said : GEV_FD_ASK;
	}
	if (r == -EALREADY)
		r = gev__let_close(GEV_FD_ASK, deadline, flags);
	return r == -ETIMEDOUT && !gev__timeout_was_it(g, flags) ? 0 : r;
}
