/* epoll_wait and its kin: the real call with a zero timeout, else a park on the epoll descriptor itself, then the real call again. An epoll
 * descriptor is readable while it has events to give (epoll(7)), and asking so takes none: edges, one-shots and exclusive wake-ups stay the
 * kernel's business. */
#define PATCH_FAMILY PATCH_FAMILY_POLL

#include <sys/epoll.h>

#include "shim/libc/kernel.h"
#include "shim/libc/poll.h"
#include "shim/signal/signals.h"

/* epoll descriptors that watch one another may be nested five deep (EP_MAX_NESTS), and the runtime's own is one more: what it cannot watch is
 * asked again and again. */
enum { BLIND_NAP = 1000000 };

static int look(int epoll, struct epoll_event *events, int room)
{
	return (int)kernel_call6(SYS_epoll_pwait, epoll, (long)events, room, 0, 0, 0);
}

static int wait_rounds(int epoll, struct epoll_event *events, int room, int64_t deadline)
{
	for (unsigned rounds = 0;; rounds++) {
		int r = patch_gev->fd_wait(epoll, GEV_READABLE, deadline, GEV_PARK_KILLABLE | GEV_PARK_INTERRUPTIBLE);
		/* Never restarted (signal(7)). */
		if (r == -EINTR)
			r = patch_interrupted(false);
		if (r == -ECANCELED)
			return r;
		/* The kernel, too, looks once more before it says that a signal came or the time has passed. */
		int got = look(epoll, events, room);
		if (got != 0 || r == -EINTR || r == -ETIMEDOUT)
			return got != 0 ? got : r == -EINTR ? r : 0;
		if (r >= 0) {
			/* Somebody else was quicker; or an event was there and then was not. */
			r = poll_rest(rounds, deadline);
		} else {
			int64_t until = io_after(BLIND_NAP);
			r = io_sleep(until < deadline ? until : deadline);
			if (r == 0 && io_now() >= deadline)
				return look(epoll, events, room);
		}
		if (r < 0)
			return r;
	}
}

/* Whether a wait had better begin without a look: the last ones found nothing, as in a loop that has little to do. Now and then one looks all the same. */
static bool expects_nothing(const struct description *d)
{
	enum { SURE = 2, AGAIN = 4 };
	return d && d->vain >= SURE && d->vain % AGAIN;
}

static void note_look(struct description *d, bool vain)
{
	uint8_t now = vain ? (uint8_t)(d->vain == UINT8_MAX ? 1 : d->vain + 1) : 0;
	if (d->vain != now)
		__atomic_store_n(&d->vain, now, __ATOMIC_RELAXED);
}

/* timeout in nanoseconds; GEV_NEVER: none. */
APART static int wait_green(int epoll, struct epoll_event *events, int room, int64_t timeout, const sigset_t *mask)
{
	io_cancellation_point();
	struct description *d = fds_get(epoll);
	bool first = timeout == 0 || mask || !expects_nothing(d);
	int r = first ? look(epoll, events, room) : 0;
	if (d && timeout != 0)
		note_look(d, r == 0);
	if (likely(r > 0)) {
		patch_give_way();
		return r;
	}
	int saved = errno;
	if (r == 0 && timeout == 0) {
		r = poll_at_once(mask);
	} else if (r == 0) {
		uint64_t before = 0;
		int64_t deadline = io_after(timeout);
		r = poll_mask_begin(mask, &before);
		if (r == 0)
			r = wait_rounds(epoll, events, room, deadline);
		poll_mask_end(mask, before);
	}
	return (int)io_result(r, saved);
}

static int64_t from_milliseconds(int timeout)
{
	return timeout < 0 ? GEV_NEVER : timeout * INT64_C(1000000);
}

int patch_epoll_wait(int epoll, struct epoll_event *events, int room, int timeout)
{
	if (!patch_green())
		return real.epoll_wait(epoll, events, room, timeout);
	return wait_green(epoll, events, room, from_milliseconds(timeout), NULL);
}
EXPORT(epoll_wait);

int patch_epoll_pwait(int epoll, struct epoll_event *events, int room, int timeout, const sigset_t *mask)
{
	if (!patch_green())
		return real.epoll_pwait(epoll, events, room, timeout, mask);
	return wait_green(epoll, events, room, from_milliseconds(timeout), mask);
}
EXPORT(epoll_pwait);

int patch_epoll_pwait2(int epoll, struct epoll_event *events, int room, const struct timespec *timeout,
		       const sigset_t *mask)
{
	if (!patch_green() || !poll_time_valid(timeout))
		return real.epoll_pwait2(epoll, events, room, timeout, mask);
	return wait_green(epoll, events, room, poll_nanoseconds(timeout), mask);
}
EXPORT(epoll_pwait2);
