/* The libev loop of a hub.
 *
 * Deadlines: libev's epoll backend waits in whole milliseconds (a 50 us timer took 1 073 us where nanosleep takes 124), so the earliest
 * deadline goes into a timerfd, armed only when it must come earlier than what is armed already.
 * Descriptors: the loop's own lie high, where the program's do not, so that it sees the numbers it would see natively. libev makes its epoll
 * descriptor itself, at the lowest free number; so the low numbers are filled for that moment.
 * libev runs with the ear's hold on until it waits. */
#include "lib/core/hub-loop.h"

#include <errno.h>
#include <ev.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include "gev/embed.h"
#include "lib/base/lock.h"
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
	const struct gev__loop_ear *ear; /* NULL: nobody has */
	void *arg;
	ev_fork rebuild;
	int guess;                  /* the number that libev's epoll descriptor should have got */
	bool unproved;              /* whether it has, is not known until libev has run */
	struct filling *filling;    /* while libev makes itself another epoll descriptor */
	struct gev__hub_loop *next; /* of all, under the filling lock */
	struct gev__hub_loop **link;
};

/* ---- Numbers of our own ---- */

#define HIGH_FD 1024
#define OWN_FDS 16
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

int gev__loop_raise(int fd)
{
	struct rlimit limit = {.rlim_cur = HIGH_FD};
	getrlimit(RLIMIT_NOFILE, &limit);
	return raise_fd(fd, high_fd(&limit));
}

/* libev makes its epoll descriptor itself, at the lowest free number. For that moment every number below `high` is taken. */
struct filling {
	int fds[HIGH_FD];
	int n;
	int probe; /* the number that the next descriptor will get, -1: not known */
	struct rlimit limit;
};

/* One hub at a time: two would take each other's numbers, and put each other's limit back. Held from fill_low to filled_no_more. */
static struct gev__lock filling_lock;
static unsigned borrowings; /* atomic: odd as long */

static void drop_fd(int fd)
{
	if (fd < 0)
		return;
	gev__loop_disclaim(fd);
	gev__sys.close(fd);
}

/* Every hub's. */
static struct gev__hub_loop *loops;

/* With the filling lock, as soon as it has descriptors: a fork then finds them. */
static void enter(struct gev__hub_loop *loop)
{
	loop->next = loops;
	loop->link = &loops;
	if (loops)
		loops->link = &loop->next;
	loops = loop;
}

static void leave(struct gev__hub_loop *loop)
{
	*loop->link = loop->next;
	if (loop->next)
		loop->next->link = loop->link;
}

void gev__loops_lock(void)
{
	gev__lock(&filling_lock);
}

void gev__loops_unlock(void)
{
	gev__unlock(&filling_lock);
}

/* Of those whose OS thread stayed behind the child has the descriptors only: their memory may have been in the middle of a change. */
void gev__loops_forked(const struct gev__hub *own)
{
	struct gev__hub_loop *mine = own ? own->loop : NULL;
	for (struct gev__hub_loop *l = loops; l; l = l->next) {
		if (l == mine)
			continue;
		drop_fd(l->epoll_fd);
		drop_fd(l->event_fd);
		drop_fd(l->timer_fd);
	}
	loops = mine;
	if (mine) {
		mine->next = NULL;
		mine->link = &loops;
	}
}

static void fill_low(struct filling *f)
{
	gev__lock(&filling_lock);
	__atomic_add_fetch(&borrowings, 1, __ATOMIC_SEQ_CST);
	f->limit = raise_limit();
	int high = high_fd(&f->limit);
	f->n = 0;
	int seed = gev__sys.eventfd(0, EFD_CLOEXEC);
	if (seed >= 0)
		f->fds[f->n++] = seed;
	while (f->n > 0 && f->n < high) {
		int fd = gev__sys.fcntl(seed, F_DUPFD_CLOEXEC, 0);
		if (fd < 0)
			break;
		if (fd >= high) {
			gev__sys.close(fd);
			break;
		}
		f->fds[f->n++] = fd;
	}
	/* The lowest free number now is the one that the next descriptor gets (open(2)). */
	f->probe = f->n > 0 ? gev__sys.fcntl(seed, F_DUPFD_CLOEXEC, 0) : -1;
	if (f->probe >= 0)
		gev__sys.close(f->probe);
}

static void empty_low(struct filling *f)
{
	while (f->n > 0)
		gev__sys.close(f->fds[--f->n]);
}

static void filled_no_more(const struct filling *f)
{
	lower_limit(&f->limit);
	__atomic_add_fetch(&borrowings, 1, __ATOMIC_SEQ_CST);
	gev__unlock(&filling_lock);
}

unsigned gev__loop_settled(void)
{
	unsigned n;
	while (unlikely((n = __atomic_load_n(&borrowings, __ATOMIC_SEQ_CST)) & 1)) {
		gev__lock(&filling_lock);
		gev__unlock(&filling_lock);
	}
	return n;
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

/* An event of a descriptor that libev does not know any more makes it throw its epoll descriptor away and begin another one: it asks for
 * forks to be handled, and then does what it does after one (ev_epoll.c, postfork). */
static void on_rebuild(struct ev_loop *ev, ev_fork *w, int revents)
{
	struct gev__hub_loop *loop = w->data;
	int before = loop->epoll_fd;
	if (before >= 0)
		gev__loop_disclaim(before);
	loop->epoll_fd = -1;
	loop->guess = before;
	loop->unproved = true;
	loop->filling = malloc(sizeof *loop->filling);
	if (loop->filling == NULL)
		return;
	fill_low(loop->filling);
	/* It closes the old one first. */
	if (before < 0 || loop->filling->probe < before)
		loop->guess = loop->filling->probe;
}

/* Whether fd is the epoll descriptor to which libev has added our own event descriptor (epoll_ctl(2), EEXIST). */
static bool is_ours(const struct gev__hub_loop *loop, int fd)
{
	struct epoll_event nothing = {.events = 0};
	if (gev__sys.epoll_ctl(fd, EPOLL_CTL_ADD, loop->event_fd, &nothing) < 0)
		return errno == EEXIST;
	gev__sys.epoll_ctl(fd, EPOLL_CTL_DEL, loop->event_fd, &nothing);
	return false;
}

/* libev's descriptor is where the guess says, unless another thread took that number first, or closed a lower one. It must be known all the same: who
 * waited for that number, because it was the program's a moment ago, would have libev watch its own descriptor, at which it ends the process. */
static int find(const struct gev__hub_loop *loop)
{
	enum { FAR_ENOUGH = 1 << 20 };
	struct rlimit limit = {.rlim_cur = HIGH_FD};
	if (is_ours(loop, loop->guess))
		return loop->guess;
	getrlimit(RLIMIT_NOFILE, &limit);
	rlim_t most = limit.rlim_cur < FAR_ENOUGH ? limit.rlim_cur : FAR_ENOUGH;
	if (most < HIGH_FD + OWN_FDS)
		most = HIGH_FD + OWN_FDS; /* it was raised to that, and lies below it now */
	for (int fd = 0; fd < (int)most; fd++)
		if (is_ours(loop, fd))
			return fd;
	return -1;
}

/* libev has told the kernel everything, and is about to wait. */
static void on_release(struct ev_loop *ev) EV_NOEXCEPT
{
	struct gev__hub_loop *loop = ev_userdata(ev);
	if (unlikely(loop->filling != NULL)) {
		empty_low(loop->filling);
		filled_no_more(loop->filling);
		free(loop->filling);
		loop->filling = NULL;
	}
	if (unlikely(loop->unproved)) {
		loop->unproved = false;
		loop->epoll_fd = find(loop);
		if (loop->epoll_fd >= 0)
			gev__loop_claim(loop->epoll_fd);
	}
	if (loop->ear)
		loop->ear->release(loop->arg);
}

static void close_loop(struct gev__hub_loop *loop)
{
	gev__lock(&filling_lock);
	leave(loop);
	if (loop->epoll_fd >= 0)
		gev__loop_disclaim(loop->epoll_fd);
	if (loop->ev)
		ev_loop_destroy(loop->ev);
	drop_fd(loop->event_fd);
	drop_fd(loop->timer_fd);
	gev__unlock(&filling_lock);
	free(loop);
}

static void begin(struct gev__hub *h, struct gev__hub_loop *loop)
{
	ev_io_init(&loop->event, on_event, loop->event_fd, EV_READ);
	ev_io_init(&loop->timer, on_timer, loop->timer_fd, EV_READ);
	loop->timer.data = loop;
	ev_io_start(loop->ev, &loop->event);
	ev_io_start(loop->ev, &loop->timer);
	ev_fork_init(&loop->rebuild, on_rebuild);
	loop->rebuild.data = loop;
	ev_fork_start(loop->ev, &loop->rebuild);
	ev_set_userdata(loop->ev, loop);
	ev_set_loop_release_cb(loop->ev, on_release, NULL);
	/* Now libev tells its descriptor of ours, by which it is known before anybody can wait for its number. No signal handler may enter libev meanwhile. */
	h->busy++;
	ev_run(loop->ev, EVRUN_NOWAIT);
	h->busy--;
}

struct gev__hub_loop *gev__loop_make(struct gev__hub *h, int *error)
{
	struct gev__hub_loop *loop = calloc(1, sizeof *loop);
	if (loop == NULL) {
		*error = -ENOMEM;
		return NULL;
	}
	loop->armed = NEVER;
	loop->epoll_fd = -1;
	loop->unproved = true;
	struct filling filling;
	fill_low(&filling);
	int high = high_fd(&filling.limit);
	loop->ev = ev_loop_new(EVBACKEND_EPOLL | EVFLAG_NOENV);
	loop->guess = filling.probe;
	empty_low(&filling);
	loop->event_fd = raise_fd(gev__sys.eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), high);
	loop->timer_fd = raise_fd(gev__sys.timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK), high);
	bool made = loop->ev && loop->event_fd >= 0 && loop->timer_fd >= 0;
	if (made)
		begin(h, loop);
	enter(loop);
	filled_no_more(&filling);
	if (!made) {
		*error = loop->event_fd < 0 ? loop->event_fd : loop->timer_fd < 0 ? loop->timer_fd : -ENOMEM;
		close_loop(loop);
		return NULL;
	}
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

void gev__loop_listen(struct gev__hub_loop *loop, const struct gev__loop_ear *ear, void *arg)
{
	loop->ear = ear;
	loop->arg = arg;
}

int gev__loop_try(const struct gev__hub_loop *loop, int fd)
{
	if (loop->epoll_fd < 0)
		return gev__sys.fcntl(fd, F_GETFD, 0) < 0 ? -errno : 0;
	/* Everything else that it may say (EEXIST, EPERM, ENOMEM, ENOSPC) libev knows how to bear. */
	struct epoll_event none = {0};
	if (gev__sys.epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &none) == 0)
		gev__sys.epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, fd, &none);
	else if (errno == EBADF || errno == ELOOP)
		return -errno;
	return 0;
}

void gev__loop_changed(struct gev__hub_loop *loop)
{
	loop->changed = true;
}

/* libev's turn without libev, while its set is as the kernel has it: one epoll_wait on its descriptor, and the events straight to who waits.
 *
 * Why: libev takes as many events at once as there are (thousands), and by the time the last of them is served, what the kernel touched to
 * report it is out of the cache. In batches the socket is still there when recv comes: 7.6 us a request instead of 8.0 with 8000 busy connections.
 * Smaller batches than these cost more again: 1.10 times a hand-written epoll server with 256, 1.12 with 128, 1.16 with 64 and with 32.
 * libev's numbers and watchers stay the truth: it runs at every change, at every event that nobody is interested in, when its descriptor is not
 * known, and now and then, because it alone knows the generation of a number and so an event that is not the present descriptor's. */
static void look(struct gev__hub_loop *loop, int timeout)
{
	enum { LIBEV_EVERY = 64 };
	struct epoll_event events[GEV__LOOP_BATCH];
	if (loop->changed || loop->epoll_fd < 0 || loop->ear == NULL || ++loop->looks % LIBEV_EVERY == 0) {
		loop->changed = false;
		if (loop->ear)
			loop->ear->hold(loop->arg);
		ev_run(loop->ev, timeout ? EVRUN_ONCE : EVRUN_NOWAIT);
		return;
	}
	int n = gev__sys.epoll_wait(loop->epoll_fd, events, GEV__LOOP_BATCH, timeout);
	if (n < 0 && errno != EINTR)
		loop->changed = true; /* libev made another descriptor of it: let it say */
	int others = 0;
	for (int i = 0; i < n; i++) {
		int fd = gev__loop_event_fd(&events[i]);
		if (fd == loop->event_fd)
			on_event(loop->ev, &loop->event, EV_READ);
		else if (fd == loop->timer_fd)
			on_timer(loop->ev, &loop->timer, EV_READ);
		else
			events[others++] = events[i];
	}
	if (others && !loop->ear->heard(loop->arg, events, others))
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
