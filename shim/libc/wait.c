/* The one place where calls on descriptors park. */
#include "shim/libc/wait.h"

#include <time.h>

#include "shim/signal/signals.h"

int64_t io_now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

int64_t io_after(int64_t ns)
{
	if (ns == GEV_NEVER)
		return GEV_NEVER;
	int64_t now = io_now();
	return ns >= GEV_NEVER - now ? GEV_NEVER : now + ns;
}

/* Also with no time to wait the kernel says EINTR when a signal has come (fs/select.c, do_poll). Many descriptors may take longer than a time
 * slice: so without ticks. */
static __attribute__((noinline)) int poll_again(struct pollfd *fds, nfds_t n, int saved)
{
	static const struct timespec at_once;
	sigset_t mask = patch_mask_without_ticks();
	int r;
	do {
		errno = saved;
		r = real.ppoll(fds, n, &at_once, &mask);
	} while (r < 0 && errno == EINTR);
	return r;
}

int io_poll(struct pollfd *fds, nfds_t n)
{
	int saved = errno;
	int r = real.poll(fds, n, 0);
	return unlikely(r < 0 && errno == EINTR) ? poll_again(fds, n, saved) : r;
}

bool io_ready(int fd, int way)
{
	struct pollfd p = {.fd = fd, .events = (short)(way == GEV_READABLE ? POLLIN : POLLOUT)};
	return io_poll(&p, 1) > 0;
}

static void begin(struct io_wait *w)
{
	if (w->deadline)
		return;
	w->deadline = io_after(w->timeout);
	w->about = fds_peek(w->fd);
	w->life = w->about ? w->about->life : 0;
}

/* Waiters are also sent away as if by a close when something else has happened that epoll does not tell of
 * (shutdown). */
static bool still_the_same(const struct io_wait *w)
{
	return w->about && fds_peek(w->fd) == w->about && w->about->life == w->life;
}

/* signal(7): with SA_RESTART a call goes on, but one that obeys a timeout of the socket never does, and one that has moved something says how much. */
static bool restarts(const struct io_wait *w)
{
	return w->timeout == GEV_NEVER && !w->moved;
}

/* A handler has run, or will. The kernel looks for data before it looks for signals. */
static __attribute__((noinline)) int interrupted(const struct io_wait *w)
{
	int r = patch_interrupted(restarts(w));
	return r < 0 && io_ready(w->fd, w->way) ? 0 : r;
}

int io_sleep(int64_t until)
{
	for (;;) {
		int r = patch_gev->sleep_until(until, GEV_PARK_KILLABLE | GEV_PARK_INTERRUPTIBLE);
		if (r == -EINTR)
			r = patch_interrupted(false);
		else
			return r;
		if (r < 0)
			return r;
	}
}

int io_backoff(struct io_wait *w)
{
	begin(w);
	int64_t now = io_now();
	if (now >= w->deadline)
		return -EAGAIN;
	/* 50 us, doubled up to 6.4 ms: never more than the wait has already cost. */
	int64_t until = now + (INT64_C(50000) << (w->naps < 7 ? w->naps : 7));
	w->naps++;
	int r = patch_gev->sleep_until(until < w->deadline ? until : w->deadline,
				       GEV_PARK_KILLABLE | GEV_PARK_INTERRUPTIBLE);
	return unlikely(r == -EINTR) ? patch_interrupted(restarts(w)) : r;
}

static bool is_socket(const struct description *d)
{
	return d && (d->kind == FD_STREAM || d->kind == FD_MESSAGE);
}

int io_wait(struct io_wait *w)
{
	begin(w);
	/* Readiness that the call itself denies would spin: a datagram for a Unix socket whose queue is full finds
	 * its own socket writable for ever. A crowd on one descriptor does not look like that: there poll says "not
	 * ready". */
	if (w->blind || (w->vain >= 3 && io_ready(w->fd, w->way)))
		return io_backoff(w);
	w->vain++;
	int r = patch_gev->fd_wait(w->fd, w->way, w->deadline,
				   GEV_PARK_KILLABLE | GEV_PARK_INTERRUPTIBLE | (w->tried ? GEV_FD_OPEN : 0) |
					   (is_socket(w->about) ? GEV_FD_SOCKET : 0));
	if (r > 0 || (r == -EBADF && still_the_same(w)))
		return 0;
	if (r == -ETIMEDOUT)
		return -EAGAIN;
	if (r == -EPERM)
		return IO_NEVER_BLOCKS;
	if (r == -EINTR)
		return interrupted(w);
	return r;
}
