/* The odd set of a hub. */
#include "lib/io/odd.h"

#include <errno.h>
#include <sys/epoll.h>

#include "lib/base/macros.h"
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
	r->odd_idle = false;
	if (likely((mask & ~(uint32_t)r->odd_armed) == 0))
		return 0;
	int error = t->odd < 0 ? begin(t) : 0;
	if (error < 0)
		return error;
	struct epoll_event event = {.events = mask | r->odd_armed, .data.fd = fd};
	/* A number that was closed behind our back has left the set with its description. */
	int done = r->odd_armed ? gev__sys.epoll_ctl(t->odd, EPOLL_CTL_MOD, fd, &event) : -1;
	if (!r->odd_armed || (done < 0 && errno == ENOENT))
		done = gev__sys.epoll_ctl(t->odd, EPOLL_CTL_ADD, fd, &event);
	if (done < 0)
		return errno == EPERM || errno == EBADF ? 1 : -errno;
	r->odd_armed = (uint16_t)event.events;
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

/* What poll(2) always says, asked for or not. */
enum { ALWAYS = EPOLLERR | EPOLLHUP };

/* An event in which nobody is interested, the second in a row: the set would say so again and again. */
static void stop(const struct table *t, struct record *r, int fd)
{
	uint32_t mask = 0;
	for (const struct waiter *w = r->others; w; w = w->next)
		if (w->odd)
			mask |= w->mask;
	struct epoll_event event = {.events = mask, .data.fd = fd};
	gev__sys.epoll_ctl(t->odd, mask ? EPOLL_CTL_MOD : EPOLL_CTL_DEL, fd, &event);
	r->odd_armed = (uint16_t)mask;
}

/* Of several who wait for a descriptor each may take what the others have been told of. */
static bool is_alone(const struct record *r)
{
	const struct waiter *w = r->others;
	return w && w->next == NULL && r->read.first == NULL && (r->write == NULL || r->write->first == NULL);
}

static void heard(const struct table *t, struct record *r, int fd, uint32_t events)
{
	bool told = false, alone = is_alone(r);
	struct waiter *next;
	for (struct waiter *w = r->others; w; w = next) {
		next = w->next;
		uint32_t said = events & (w->mask | ALWAYS);
		if (!w->odd || said == 0)
			continue;
		told = true;
		gev__waiter_deliver(w, GEV_READABLE | (alone ? (int)said << SAID_SHIFT : 0));
	}
	if (!told && r->odd_idle)
		stop(t, r, fd);
	r->odd_idle = !told;
}

/* As in readiness.c: what a big batch will touch is loaded first, all at once. */
static void warm(const struct table *t, const struct epoll_event *events, int n)
{
	enum { WORTH_IT = 16 };
	for (int i = 0; i < n && n >= WORTH_IT; i++) {
		const struct record *r = gev__record_find(t, (unsigned)events[i].data.fd);
		if (r == NULL)
			continue;
		__builtin_prefetch(&r->read.first);
		__builtin_prefetch(r->write);
		if (r->others)
			(void)*(const volatile uint8_t *)&r->others->g->state;
	}
}

void gev__odd_heard(struct table *t)
{
	enum {
		BATCH = 128
	}; /* the set stays readable while there are more, and begins with those next time (ep_send_events) */
	struct epoll_event events[BATCH];
	int n = gev__sys.epoll_wait(t->odd, events, BATCH, 0);
	warm(t, events, n);
	for (int i = 0; i < n; i++) {
		struct record *r = gev__record_find(t, (unsigned)events[i].data.fd);
		if (r)
			heard(t, r, events[i].data.fd, events[i].events);
	}
}
