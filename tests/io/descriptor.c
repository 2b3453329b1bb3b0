/* Reading, writing and polling descriptors of every kind, blocking or not: what each says, in full and in part. */
#include <criterion/criterion.h>
#include <gev/gev.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <unistd.h>

/* ---- Kinds of streams, each with a blocking and a non-blocking side ---- */

static bool make_pipe(int fds[2], int flags)
{
	return pipe2(fds, flags) == 0;
}

static bool make_socket(int fds[2], int flags)
{
	return socketpair(AF_UNIX, SOCK_STREAM | (flags & O_NONBLOCK ? SOCK_NONBLOCK : 0), 0, fds) == 0;
}

/* RWF_NOWAIT is refused here. */
static bool make_fifo(int fds[2], int flags)
{
	char path[] = "/tmp/gev-fifo-XXXXXX";
	if (mkdtemp(path) == NULL)
		return false;
	char name[64];
	snprintf(name, sizeof name, "%s/f", path);
	bool ok = mkfifo(name, 0600) == 0;
	fds[0] = open(name, O_RDONLY | O_NONBLOCK);
	fds[1] = open(name, O_WRONLY | flags);
	if (!(flags & O_NONBLOCK))
		fcntl(fds[0], F_SETFL, 0);
	unlink(name);
	rmdir(path);
	return ok && fds[0] >= 0 && fds[1] >= 0;
}

static const struct {
	const char *desc;
	bool (*make)(int fds[2], int flags);
	int flags;
} kinds[] = {
	{"blocking pipe", make_pipe, 0},     {"non-blocking pipe", make_pipe, O_NONBLOCK},
	{"blocking socket", make_socket, 0}, {"non-blocking socket", make_socket, O_NONBLOCK},
	{"blocking FIFO", make_fifo, 0},     {"non-blocking FIFO", make_fifo, O_NONBLOCK},
};
enum { KINDS = sizeof kinds / sizeof *kinds };

enum { BIG = 1 << 20 };
static char out[BIG], in[BIG];
static int fds[2];
static int ticks;
static bool stop;

static void *tick(void *arg)
{
	while (!stop) {
		ticks++;
		gev_sleep(0.001);
	}
	return NULL;
}

static void *write_big(void *arg)
{
	struct iovec v[3] = {{out, BIG / 4}, {out, 0}, {out + BIG / 4, BIG - BIG / 4}};
	ssize_t n = arg ? gev_writev_all(fds[1], v, 3, 30) : gev_write_all(fds[1], out, BIG, 30);
	return (void *)n;
}

Test(descriptor, whole_transfers_through_every_kind)
{
	struct gev_greenlet *t = gev_spawn(tick, NULL);
	for (int i = 0; i < BIG; i++)
		out[i] = (char)rand();
	for (int i = 0; i < KINDS; i++) {
		for (int vectors = 0; vectors < 2; vectors++) {
			cr_assert(kinds[i].make(fds, kinds[i].flags), "%s", kinds[i].desc);
			memset(in, 0, BIG);
			struct gev_greenlet *w = gev_spawn(write_big, vectors ? fds : NULL);
			struct iovec v[2] = {{in, 100}, {in + 100, BIG - 100}};
			ssize_t n = vectors ? gev_readv_all(fds[0], v, 2, 30) : gev_read_all(fds[0], in, BIG, 30);
			cr_expect_eq(n, BIG, "%s: %zd %d", kinds[i].desc, n, errno);
			void *written = NULL;
			cr_assert_eq(gev_join(w, 30, &written), 0);
			cr_expect_eq((intptr_t)written, BIG, "%s", kinds[i].desc);
			cr_expect_eq(memcmp(in, out, BIG), 0, "%s", kinds[i].desc);
			cr_expect_eq(fcntl(fds[0], F_GETFL) & O_NONBLOCK, kinds[i].flags, "%s", kinds[i].desc);
			gev_close(fds[0]);
			gev_close(fds[1]);
		}
	}
	stop = true;
	gev_join(t, 10, NULL);
	cr_expect_gt(ticks, 0);
}

Test(descriptor, a_time_limit_leaves_what_went_over_and_says_why)
{
	for (int i = 0; i < KINDS; i++) {
		const char *desc = kinds[i].desc;
		cr_assert(kinds[i].make(fds, kinds[i].flags), "%s", desc);
		errno = 0;
		cr_expect_eq(gev_read(fds[0], in, 1, 0), -1, "%s", desc);
		cr_expect_eq(errno, ETIMEDOUT, "%s", desc);
		cr_expect_eq(gev_read(fds[0], in, 1, 0.002), -1, "%s", desc);
		cr_expect_eq(errno, ETIMEDOUT, "%s", desc);
		cr_expect_eq(gev_write(fds[1], "abc", 3, 0), 3, "%s", desc);
		cr_expect_eq(gev_read_all(fds[0], in, 10, 0.002), 3, "%s", desc);
		cr_expect_eq(errno, ETIMEDOUT, "%s", desc);
		ssize_t n = gev_write_all(fds[1], out, BIG, 0.02);
		cr_expect(n > 0 && n < BIG, "%s: %zd", desc, n);
		cr_expect_eq(errno, ETIMEDOUT, "%s", desc);
		cr_expect_eq(gev_write_all(fds[1], out, BIG, 0.002), -1, "%s", desc);
		cr_expect_eq(errno, ETIMEDOUT, "%s", desc);
		cr_expect_eq(gev_read_all(fds[0], in, (size_t)n, 1), n, "%s", desc);
		gev_close(fds[0]);
		gev_close(fds[1]);
	}
}

Test(descriptor, the_end_and_a_broken_pipe)
{
	signal(SIGPIPE, SIG_IGN);
	for (int i = 0; i < KINDS; i++) {
		const char *desc = kinds[i].desc;
		cr_assert(kinds[i].make(fds, kinds[i].flags), "%s", desc);
		cr_expect_eq(gev_write(fds[1], "abc", 3, 1), 3, "%s", desc);
		gev_close(fds[1]);
		errno = EIO;
		cr_expect_eq(gev_read_all(fds[0], in, 10, 1), 3, "%s", desc);
		cr_expect_eq(errno, 0, "%s: the end", desc);
		cr_expect_eq(gev_read_all(fds[0], in, 10, 1), 0, "%s", desc);
		cr_expect_eq(gev_read(fds[0], in, 10, 1), 0, "%s", desc);
		gev_close(fds[0]);
		cr_assert(kinds[i].make(fds, kinds[i].flags), "%s", desc);
		gev_close(fds[0]);
		cr_expect_eq(gev_write_all(fds[1], out, 10, 1), -1, "%s", desc);
		cr_expect_eq(errno, EPIPE, "%s", desc);
		gev_close(fds[1]);
	}
}

static void *read_some_and_close(void *arg)
{
	gev_read_all(fds[0], in, 1000, 10);
	gev_close(fds[0]);
	return NULL;
}

Test(descriptor, a_pipe_that_breaks_in_the_middle)
{
	signal(SIGPIPE, SIG_IGN);
	for (int i = 0; i < KINDS; i++) {
		cr_assert(kinds[i].make(fds, kinds[i].flags), "%s", kinds[i].desc);
		struct gev_greenlet *g = gev_spawn(read_some_and_close, NULL);
		ssize_t n = gev_write_all(fds[1], out, BIG, 10);
		cr_expect(n > 0 && n < BIG, "%s: %zd", kinds[i].desc, n);
		cr_expect_eq(errno, EPIPE, "%s", kinds[i].desc);
		gev_join(g, 10, NULL);
		gev_close(fds[1]);
	}
}

Test(descriptor, errors_are_the_kernels)
{
	struct iovec v = {in, 1};
	cr_expect_eq(gev_read(-1, in, 1, 1), -1);
	cr_expect_eq(errno, EBADF);
	cr_expect_eq(gev_write_all(-1, in, 1, 1), -1);
	cr_expect_eq(errno, EBADF);
	cr_expect_eq(gev_readv(0, &v, -1, 1), -1);
	cr_expect_eq(errno, EINVAL);
	cr_expect_eq(gev_readv_all(0, &v, -1, 1), -1);
	cr_expect_eq(errno, EINVAL);
	cr_expect_eq(gev_read(0, in, 1, NAN), -1);
	cr_expect_eq(errno, EINVAL);
	int dir = open("/", O_RDONLY);
	cr_expect_eq(gev_read(dir, in, 1, 1), -1);
	cr_expect_eq(errno, EISDIR);
	cr_assert(make_pipe(fds, 0));
	cr_expect_eq(gev_write(fds[0], in, 1, 1), -1);
	cr_expect_eq(errno, EBADF, "its other end is the one to write to");
	cr_expect_eq(gev_read(fds[0], (void *)1, 1, 0), -1);
	cr_expect_eq(errno, ETIMEDOUT, "nothing there to put at a bad address");
	cr_expect_eq(gev_write(fds[1], (void *)1, 1, 1), -1);
	cr_expect_eq(errno, EFAULT);
	cr_expect_eq(gev_write_all(fds[1], in, 0, 1), 0);
	cr_expect_eq(gev_close(fds[0]), 0);
	cr_expect_eq(gev_close(fds[0]), -1);
	cr_expect_eq(errno, EBADF);
}

Test(descriptor, files_counters_and_timers)
{
	FILE *f = tmpfile();
	int fd = fileno(f);
	cr_expect_eq(gev_write_all(fd, out, BIG, 1), BIG);
	cr_expect_eq(lseek(fd, 0, SEEK_SET), 0);
	cr_expect_eq(gev_read_all(fd, in, BIG + 1, 1), BIG);
	cr_expect_eq(errno, 0);
	uint64_t n = 5;
	int counter = eventfd(0, 0);
	cr_expect_eq(gev_read(counter, &n, sizeof n, 0.002), -1);
	cr_expect_eq(errno, ETIMEDOUT);
	cr_expect_eq(gev_write(counter, &n, sizeof n, 1), sizeof n);
	n = 0;
	cr_expect_eq(gev_read(counter, &n, sizeof n, 1), sizeof n);
	cr_expect_eq(n, 5);
	n = UINT64_MAX - 1;
	cr_expect_eq(gev_write(counter, &n, sizeof n, 1), sizeof n);
	n = 1;
	cr_expect_eq(gev_write(counter, &n, sizeof n, 0.002), -1, "full");
	cr_expect_eq(errno, ETIMEDOUT);
	int timer = timerfd_create(CLOCK_MONOTONIC, 0);
	struct itimerspec soon = {.it_value = {.tv_nsec = 2000000}};
	timerfd_settime(timer, 0, &soon, NULL);
	cr_expect_eq(gev_read(timer, &n, sizeof n, 10), sizeof n);
	cr_expect_eq(n, 1);
}

Test(descriptor, more_vectors_than_the_kernel_takes_at_once)
{
	enum { MANY = IOV_MAX * 2 + 7 };
	struct iovec *v = calloc(MANY, sizeof *v);
	cr_assert(make_socket(fds, O_NONBLOCK));
	for (int i = 0; i < MANY; i++)
		v[i] = (struct iovec){out + i, 1};
	for (int i = 0; i < MANY; i++)
		out[i] = (char)i;
	cr_expect_eq(gev_writev_all(fds[1], v, MANY, 10), MANY);
	for (int i = 0; i < MANY; i++)
		v[i].iov_base = in + i;
	cr_expect_eq(gev_readv_all(fds[0], v, MANY, 10), MANY);
	cr_expect_eq(memcmp(in, out, MANY), 0);
	free(v);
}

/* ---- Waiting ---- */

static void *write_later(void *arg)
{
	gev_sleep(0.005);
	cr_assert_eq(write(fds[1], "x", 1), 1);
	return NULL;
}

static void *close_later(void *arg)
{
	gev_sleep(0.005);
	gev_close(*(int *)arg);
	return NULL;
}

Test(descriptor, fd_wait)
{
	cr_assert(make_socket(fds, 0));
	cr_expect_eq(gev_fd_wait(fds[0], GEV_READABLE, 0), -1);
	cr_expect_eq(errno, ETIMEDOUT);
	cr_expect_eq(gev_fd_wait(fds[0], GEV_READABLE | GEV_WRITABLE, 0), GEV_WRITABLE);
	cr_expect_eq(gev_fd_wait(fds[0], GEV_WRITABLE, 1), GEV_WRITABLE);
	cr_expect_eq(gev_fd_wait(fds[0], 0, 1), -1);
	cr_expect_eq(errno, EINVAL);
	cr_expect_eq(gev_fd_wait(fds[0], 8, 1), -1);
	cr_expect_eq(errno, EINVAL);
	cr_expect_eq(gev_fd_wait(fds[0], GEV_READABLE, NAN), -1);
	cr_expect_eq(errno, EINVAL);
	cr_expect_eq(gev_fd_wait(999, GEV_READABLE, 1), -1);
	cr_expect_eq(errno, EBADF);
	struct gev_greenlet *g = gev_spawn(write_later, NULL);
	cr_expect_eq(gev_fd_wait(fds[0], GEV_READABLE, 10), GEV_READABLE);
	gev_join(g, 10, NULL);
	char c;
	cr_expect_eq(gev_read(fds[0], &c, 1, 1), 1);
	g = gev_spawn(close_later, &fds[0]);
	cr_expect_eq(gev_fd_wait(fds[0], GEV_READABLE, 10), -1);
	cr_expect_eq(errno, EBADF);
	gev_join(g, 10, NULL);
}

Test(descriptor, poll_gives_the_kernels_own_flags)
{
	cr_assert(make_socket(fds, 0));
	struct pollfd p[3] = {
		{.fd = fds[0], .events = POLLIN}, {.fd = -1, .events = POLLIN}, {.fd = 999, .events = POLLIN}};
	cr_expect_eq(gev_poll(p, 2, 0), 0);
	cr_expect_eq(gev_poll(p, 2, 0.005), 0);
	cr_expect_eq(gev_poll(p, 3, 1), 1);
	cr_expect_eq(p[2].revents, POLLNVAL);
	struct gev_greenlet *g = gev_spawn(write_later, NULL);
	cr_expect_eq(gev_poll(p, 2, 10), 1);
	cr_expect_eq(p[0].revents, POLLIN);
	gev_join(g, 10, NULL);
	char c;
	cr_expect_eq(gev_read(fds[0], &c, 1, 1), 1);
	p[0].events = POLLIN | POLLRDHUP;
	g = gev_spawn(close_later, &fds[1]);
	cr_expect_eq(gev_poll(p, 1, 10), 1);
	cr_expect_eq(p[0].revents, POLLIN | POLLRDHUP | POLLHUP);
	gev_join(g, 10, NULL);
	cr_assert(make_socket(fds, 0));
	p[0] = (struct pollfd){.fd = fds[0], .events = POLLIN};
	g = gev_spawn(close_later, &fds[0]);
	cr_expect_eq(gev_poll(p, 1, 10), 1);
	cr_expect_eq(p[0].revents, POLLNVAL, "closed meanwhile");
	gev_join(g, 10, NULL);
	cr_assert(make_socket(fds, 0));
	p[0] = (struct pollfd){.fd = fds[0], .events = POLLPRI};
	g = gev_spawn(close_later, &fds[0]);
	cr_expect_eq(gev_poll(p, 1, 10), 1);
	cr_expect_eq(p[0].revents, POLLNVAL, "closed meanwhile, and watched in a set of its own");
	gev_join(g, 10, NULL);
	cr_expect_eq(gev_poll(NULL, 0, 0.002), 0);
	cr_expect_eq(gev_poll(NULL, 0, NAN), -1);
	cr_expect_eq(errno, EINVAL);
}

/* ---- One deadline, kills, signals ---- */

static void *drip(void *arg)
{
	while (write(fds[1], "x", 1) == 1 && gev_sleep(0.004) == 0)
		;
	return NULL;
}

Test(descriptor, one_time_limit_covers_the_whole_operation)
{
	cr_assert(make_socket(fds, 0));
	cr_assert_eq(write(fds[1], "x", 1), 1);
	struct gev_greenlet *g = gev_spawn(drip, NULL);
	double start = gev_now();
	ssize_t n = gev_read_all(fds[0], in, 1000, 0.05);
	double took = gev_now() - start;
	cr_expect_eq(errno, ETIMEDOUT);
	cr_expect(n > 0 && n < 1000, "%zd", n);
	cr_expect_geq(took, 0.05);
	gev_kill(g);
	gev_join(g, 10, NULL);
}

static void *read_until_killed(void *arg)
{
	char c;
	ssize_t first = gev_read(fds[0], &c, 1, 10);
	int error = errno;
	/* And later, also where it would not have had to wait. */
	ssize_t second = gev_write(fds[0], "x", 1, 10);
	return (void *)(intptr_t)(first == -1 && error == ECANCELED && second == -1 && errno == ECANCELED);
}

Test(descriptor, a_kill_ends_it_and_every_later_one)
{
	cr_assert(make_socket(fds, 0));
	struct gev_greenlet *g = gev_spawn(read_until_killed, NULL);
	gev_yield();
	gev_kill(g);
	void *good = NULL;
	cr_expect_eq(gev_join(g, 10, &good), 0);
	cr_expect_not_null(good);
}

static void nothing(int sig)
{
}

Test(descriptor, EINTR_is_never_seen)
{
	struct sigaction action = {.sa_handler = nothing};
	sigaction(SIGALRM, &action, NULL);
	cr_assert(make_pipe(fds, 0));
	timer_t timer;
	cr_assert_eq(timer_create(CLOCK_MONOTONIC, NULL, &timer), 0);
	struct itimerspec often = {.it_interval = {.tv_nsec = 500000}, .it_value = {.tv_nsec = 500000}};
	timer_settime(timer, 0, &often, NULL);
	char c;
	cr_expect_eq(gev_read(fds[0], &c, 1, 0.03), -1);
	cr_expect_eq(errno, ETIMEDOUT);
	struct pollfd p = {.fd = fds[0], .events = POLLIN};
	cr_expect_eq(gev_poll(&p, 1, 0.03), 0);
	timer_delete(timer);
}
