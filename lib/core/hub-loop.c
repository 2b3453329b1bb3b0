/* The libev loop of a hub.
 *
 * Deadlines: libev's epoll backend waits in whole milliseconds (a 50 us timer took 1 073 us where nanosleep takes 124), so the earliest
 * deadline goes into a timerfd, armed only when it must come earlier than what is armed already.
 * Descriptors: the loop's own lie high, where the program's do not, so that it sees the numbers it would see natively. libev makes its epoll
 * descriptor itself, at the lowest free number; so the low numbers are filled for that moment. */
#include "lib/core/hub-loop.h"

#include <errno.h>
#include <ev.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include "gev/embed.h"
#include "lib/base/log.h"
#include "lib/base/sys.h"
#include "lib/core/hub.h"

struct gev__hub_loop {
	struct ev_loop *ev;
	int epoll_fd;
	int event_fd;
	int timer_fd;
	int64_t armed; /* what the timerfd is set to; NEVER: nothing */
	ev_io event;
	ev_io timer;
	bool changed; /* since libev ran last, watchers were started or stopped, or it must sort something out */
	unsigned looks;
	bool (*heard)(void *arg, const struct epoll_event *events, int n);
	void *arg;
};

/* ---- Numbers of our own ---- */

#define HIGH_FD 1024
#define OWN_FDS 16
#define INTERNAL_MAX 64

/* Slots are only ever filled or emptied, each by one store: a reader in a signal handler sees the one or the other. */
static int internal[INTERNAL_MAX];
static int internal_n;

void gev__loop_claim(int fd)
{
	for (int i = 0; i < INTERNAL_MAX; i++) {
		int empty = 0;
		if (__atomic_compare_exchange_n(&internal[i], &empty, fd + 1, false, __ATOMIC_RELEASE,
						__ATOMIC_RELAXED)) {
			int n = __atomic_load_n(&internal_n, __ATOMIC_RELAXED);
			while (n < i + 1 && !__atomic_compare_exchange_n(&internal_n, &n, i + 1, true, __ATOMIC_RELEASE,
									 __ATOMIC_RELAXED))
				;
			return;
		}
	}
}

void gev__loop_disclaim(int fd)
{
	for (int i = 0; i < INTERNAL_MAX; i++) {
		int mine = fd + 1;
		if (__atomic_compare_exchange_n(&internal[i], &mine, 0, false, __ATOMIC_RELEASE, __ATOMIC_RELAXED))
			return;
	}
}

bool gev__loop_internal(int fd)
{
	int n = __atomic_load_n(&internal_n, __ATOMIC_ACQUIRE);
	for (int i = 0; i < n; i++)
		if (__atomic_load_n(&internal[i], __ATOMIC_RELAXED) == fd + 1 && fd >= 0)
			return true;
	return false;
}

int gev__loop_internal_next(int fd)
{
	int n = __atomic_load_n(&internal_n, __ATOMIC_ACQUIRE);
	int next = -1;
	for (int i = 0; i < n; i++) {
		int one = __atomic_load_n(&internal[i], __ATOMIC_RELAXED) - 1;
		if (one >= fd && (next < 0 || one < next))
			next = one;
	}
	return next;
}

/* From where on our numbers lie: from the program's own limit on, where it can have none itself, or from HIGH_FD on if it may have very many.
 * Above the soft limit a descriptor can only be made while the limit is raised; it stays valid afterwards (getrlimit(2)). */
static int high_fd(const struct rlimit *limit)
{
	if (limit->rlim_cur >= HIGH_FD + OWN_FDS)
		return HIGH_FD;
	if (limit->rlim_max - limit->rlim_cur >= OWN_FDS || limit->rlim_max == RLIM_INFINITY)
		return (int)limit->rlim_cur;
	return limit->rlim_cur > 2 * OWN_FDS ? (int)limit->rlim_cur - OWN_FDS : 3;
}

/* The limit as it was, to be put back by lower_limit. */
static struct rlimit raise_limit(void)
{
	struct rlimit limit = {.rlim_cur = 1024, .rlim_max = 1024};
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < HIGH_FD + OWN_FDS) {
		struct rlimit more = limit;
		more.rlim_cur = limit.rlim_max < HIGH_FD + OWN_FDS ? limit.rlim_max : HIGH_FD + OWN_FDS;
		setrlimit(RLIMIT_NOFILE,
			  &more); /* refused: then high_fd lies below anyway, or the descriptors stay low */
	}
	return limit;
}

static void lower_limit(const struct rlimit *limit)
{
	if (limit->rlim_cur < HIGH_FD + OWN_FDS)
		setrlimit(RLIMIT_NOFILE, limit);
}

static int raise_fd(int fd, int to)
{
	if (fd < 0)
		return -errno;
	int high = gev__sys.fcntl(fd, F_DUPFD_CLOEXEC, to);
	if (high >= 0) {
		gev__sys.close(fd);
		fd = high;
	}
	gev__loop_claim(fd);
	return fd;
}

static void drop_fd(int fd)
{
	if (fd < 0)
		return;
	gev__loop_disclaim(fd);
	gev__sys.close(fd);
}

/* Makes the loop while every number below `high` is taken. *epoll_fd: the number that libev's epoll descriptor got, or -1. */
static struct ev_loop *make_ev(int high, int *epoll_fd)
{
	int fillers[HIGH_FD];
	int n = 0;
	int seed = gev__sys.eventfd(0, EFD_CLOEXEC);
	if (seed >= 0)
		fillers[n++] = seed;
	while (n > 0 && n < high) {
		int fd = gev__sys.fcntl(seed, F_DUPFD_CLOEXEC, 0);
		if (fd < 0)
			break;
		if (fd >= high) {
			gev__sys.close(fd);
			break;
		}
		fillers[n++] = fd;
	}
	/* The lowest free number now is the one that the next descriptor gets (open(2)). */
	int probe = n > 0 ? gev__sys.fcntl(seed, F_DUPFD_CLOEXEC, 0) : -1;
	if (probe >= 0)
		gev__sys.close(probe);
	struct ev_loop *ev = ev_loop_new(EVBACKEND_EPOLL | EVFLAG_NOENV);
	while (n > 0)
		gev__sys.close(fillers[--n]);

	/* Another thread may have been quicker: believe the number only if it is an epoll descriptor. */
	*epoll_fd = -1;
	if (ev && probe >= 0) {
		char path[64], target[64];
		snprintf(path, sizeof path, "/proc/self/fd/%d", probe);
		ssize_t length = readlink(path, target, sizeof target - 1);
		if (length > 0) {
			target[length] = '\0';
			if (strstr(target, "eventpoll"))
				*epoll_fd = probe;
		}
	}
	return ev;
}

/* ---- The loop ---- */

static void on_event(struct ev_loop *ev, ev_io *io, int revents)
{
	uint64_t count;
	if (gev__sys.read(io->fd, &count, sizeof count) < 0 && errno != EAGAIN && errno != EINTR)
		gev__die("reading the wake-up descriptor: %s", strerror(errno));
}

static void on_timer(struct ev_loop *ev, ev_io *io, int revents)
{
	struct gev__hub_loop *loop = io->data;
	uint64_t count;
	if (gev__sys.read(io->fd, &count, sizeof count) < 0 && errno != EAGAIN && errno != EINTR)
		gev__die("reading the timer descriptor: %s", strerror(errno));
	loop->armed = NEVER;
}

static void close_loop(struct gev__hub_loop *loop)
{
	if (loop->epoll_fd >= 0)
		gev__loop_disclaim(loop->epoll_fd);
	if (loop->ev)
		ev_loop_destroy(loop->ev);
	drop_fd(loop->event_fd);
	drop_fd(loop->timer_fd);
	free(loop);
}

struct gev__hub_loop *gev__loop_make(struct gev__hub *h, int *error)
{
	struct gev__hub_loop *loop = calloc(1, sizeof *loop);
	if (loop == NULL) {
		*error = -ENOMEM;
		return NULL;
	}
	loop->armed = NEVER;
	loop->changed = true;
	struct rlimit limit = raise_limit();
	int high = high_fd(&limit);
	loop->ev = make_ev(high, &loop->epoll_fd);
	if (loop->epoll_fd >= 0)
		gev__loop_claim(loop->epoll_fd);
	loop->event_fd = raise_fd(gev__sys.eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), high);
	loop->timer_fd = raise_fd(gev__sys.timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK), high);
	lower_limit(&limit);
	if (!loop->ev || loop->event_fd < 0 || loop->timer_fd < 0) {
		*error = loop->event_fd < 0 ? loop->event_fd : loop->timer_fd < 0 ? loop->timer_fd : -ENOMEM;
		close_loop(loop);
		return NULL;
	}
	ev_io_init(&loop->event, on_event, loop->event_fd, EV_READ);
	ev_io_init(&loop->timer, on_timer, loop->timer_fd, EV_READ);
	loop->timer.data = loop;
	ev_io_start(loop->ev, &loop->event);
	ev_io_start(loop->ev, &loop->timer);
	__atomic_store_n(&h->loop, loop, __ATOMIC_RELEASE);
	return loop;
}

struct ev_loop *gev__loop_ev(struct gev__hub_loop *loop)
{
	return loop->ev;
}

int gev__loop_epoll(const struct gev__hub_loop *loop)
{
	return loop->epoll_fd;
}

void gev__loop_listen(struct gev__hub_loop *loop, bool (*heard)(void *arg, const struct epoll_event *events, int n),
		      void *arg)
{
	loop->heard = heard;
	loop->arg = arg;
}

void gev__loop_changed(struct gev__hub_loop *loop)
{
	loop->changed = true;
}

int gev__loop_event(const struct epoll_event *event, int *ready)
{
	uint32_t e = event->events;
	bool both = e & (EPOLLERR | EPOLLHUP);
	*ready = (e & EPOLLIN || both ? GEV_READABLE : 0) | (e & EPOLLOUT || both ? GEV_WRITABLE : 0);
	/* ev_epoll.c: the number in the low half, its generation in the high one. */
	return (int)(uint32_t)event->data.u64;
}

/* libev's turn without libev, while its set is as the kernel has it: one epoll_wait on its descriptor, and the events straight to who waits.
 *
 * Why: libev takes as many events at once as there are (thousands), and by the time the last of them is served, what the kernel touched to
 * report it is out of the cache. In batches the socket is still there when recv comes: 7.6 us a request instead of 8.0 with 8000 busy connections.
 * libev's numbers and watchers stay the truth: it runs at every change, at every event that nobody is interested in, when its descriptor is not
 * known, and now and then, because it alone knows the generation of a number and so an event that is not the present descriptor's. */
static void look(struct gev__hub_loop *loop, int timeout)
{
	enum { BATCH = 128, LIBEV_EVERY = 64 };
	struct epoll_event events[BATCH];
	if (loop->changed || loop->epoll_fd < 0 || loop->heard == NULL || ++loop->looks % LIBEV_EVERY == 0) {
		loop->changed = false;
		ev_run(loop->ev, timeout ? EVRUN_ONCE : EVRUN_NOWAIT);
		return;
	}
	int n = gev__sys.epoll_wait(loop->epoll_fd, events, BATCH, timeout);
	if (n < 0 && errno != EINTR)
		loop->changed = true; /* libev made another descriptor of it: let it say */
	int others = 0;
	for (int i = 0; i < n; i++) {
		int ready;
		int fd = gev__loop_event(&events[i], &ready);
		if (fd == loop->event_fd)
			on_event(loop->ev, &loop->event, EV_READ);
		else if (fd == loop->timer_fd)
			on_timer(loop->ev, &loop->timer, EV_READ);
		else
			events[others++] = events[i];
	}
	if (others && !loop->heard(loop->arg, events, others))
		loop->changed = true;
}

void gev__loop_poll(struct gev__hub_loop *loop)
{
	look(loop, 0);
}

void gev__loop_sleep(struct gev__hub_loop *loop, int64_t deadline)
{
	if (deadline < loop->armed) {
		struct itimerspec when = {.it_value = gev__timespec(deadline > 0 ? deadline : 1)};
		if (gev__sys.timerfd_settime(loop->timer_fd, TFD_TIMER_ABSTIME, &when, NULL))
			gev__die("setting the timer descriptor: %s", strerror(errno));
		loop->armed = deadline;
	}
	look(loop, -1);
}

void gev__loop_interrupt(struct gev__hub_loop *loop)
{
	int saved = errno;
	uint64_t one = 1;
	while (gev__sys.write(loop->event_fd, &one, sizeof one) < 0 && errno == EINTR)
		;
	errno = saved;
}

void gev__loop_free(struct gev__hub *h)
{
	struct gev__hub_loop *loop = h->loop;
	if (loop == NULL)
		return;
	__atomic_store_n(&h->loop, NULL, __ATOMIC_RELEASE);
	close_loop(loop);
}

void gev__loop_forked(struct gev__hub *h)
{
	/* The child's copies of the descriptors are closed; the parent's epoll set is not touched: closing one of two references removes nothing. */
	gev__loop_free(h);
}
