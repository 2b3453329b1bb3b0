/* The one place where calls on descriptors park. */
#include "shim/libc/wait.h"

#include <poll.h>
#include <time.h>

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

bool io_ready(int fd, int way)
{
	struct pollfd p = {.fd = fd, .events = (short)(way == GEV_READABLE ? POLLIN : POLLOUT)};
	return real.poll(&p, 1, 0) > 0;
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

int io_backoff(struct io_wait *w)
{
	begin(w);
	int64_t now = io_now();
	if (now >= w->deadline)
		return -EAGAIN;
	/* 50 us, doubled up to 6.4 ms: never more than the wait has already cost. */
	int64_t until = now + (INT64_C(50000) << (w->naps < 7 ? w->naps : 7));
	w->naps++;
	return patch_gev->sleep_until(until < w->deadline ? until : w->deadline, GEV_PARK_KILLABLE);
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
	int r = patch_gev->fd_wait(w->fd, w->way, w->deadline, GEV_PARK_KILLABLE | (w->tried ? GEV_FD_OPEN : 0));
	if (r > 0 || (r == -EBADF && still_the_same(w)))
		return 0;
	if (r == -ETIMEDOUT)
		return -EAGAIN;
	if (r == -EPERM)
		return IO_NEVER_BLOCKS;
	return r;
}
