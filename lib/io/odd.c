/* The odd set of a hub. */
#include "lib/io/odd.h"

#include <errno.h>
#include <sys/epoll.h>

#include "lib/base/sys.h"
#include "lib/core/hub-loop.h"

static void on_event(struct ev_loop *ev, ev_io *io, int revents)
{
	gev__odd_heard(io->data);
}

static int begin(struct table *t)
{
	int error;
	struct gev__hub_loop *loop = gev__loop_get(t->hub, &error);
	if (loop == NULL)
		return error;
	int odd = gev__loop_raise(gev__sys.epoll_create1(EPOLL_CLOEXEC));
	if (odd < 0)
		return odd;
	t->hub->busy++; /* as gev__watch */
	ev_io_init(&t->odd_io, on_event, odd, EV_READ);
	t->odd_io.data = t;
	ev_io_start(gev__loop_ev(loop), &t->odd_io);
	t->hub->busy--;
	gev__loop_changed(loop);
	__atomic_store_n(&t->odd, odd, __ATOMIC_RELEASE);
	return 0;
}

int gev__odd_arm(struct table *t, int fd, uint32_t mask)
{
	struct record *r = gev__record_find(t, (unsigned)fd);
	int error = t->odd < 0 ? begin(t) : 0;
	if (error < 0)
		return error;
	uint32_t all = mask | r->odd_armed;
	struct epoll_event event = {.events = all | EPOLLONESHOT, .data.fd = fd};
	/* A number that was closed behind our back has left the set with its description. */
	int done = r->odd_known ? gev__sys.epoll_ctl(t->odd, EPOLL_CTL_MOD, fd, &event) : -1;
	if (!r->odd_known || (done < 0 && errno == ENOENT))
		done = gev__sys.epoll_ctl(t->odd, EPOLL_CTL_ADD, fd, &event);
	if (done < 0)
		return errno == EPERM || errno == EBADF ? 1 : -errno;
	r->odd_known = true;
	r->odd_armed = (uint16_t)all;
	return 0;
}

/* A dup elsewhere may hold the description, and the set with it. ENOENT: it was never there. */
void gev__odd_close(const struct table *t, int fd)
{
	struct epoll_event none = {0};
	int odd = __atomic_load_n(&t->odd, __ATOMIC_ACQUIRE);
	if (odd >= 0)
		gev__sys.epoll_ctl(odd, EPOLL_CTL_DEL, fd, &none);
}

void gev__odd_end(struct table *t)
{
	if (t->odd < 0)
		return;
	gev__loop_disclaim(t->odd);
	gev__sys.close(t->odd);
	__atomic_store_n(&t->odd, -1, __ATOMIC_RELEASE);
}

void gev__odd_heard(struct table *t)
{
	enum { BATCH = 64 }; /* the set stays readable while there are more */
	struct epoll_event events[BATCH];
	int n = gev__sys.epoll_wait(t->odd, events, BATCH, 0);
	for (int i = 0; i < n; i++) {
		struct record *r = gev__record_find(t, (unsigned)events[i].data.fd);
		if (r == NULL)
			continue;
		r->odd_armed = 0;
		struct waiter *next;
		for (struct waiter *w = r->others; w; w = next) {
			next = w->next;
			if (w->odd)
				gev__waiter_deliver(w, GEV_READABLE);
		}
	}
}
