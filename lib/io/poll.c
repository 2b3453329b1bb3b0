/* Waiting for one descriptor, or several: gev/io.h. The real poll(2) with no timeout first, then a park, then the real poll again: every flag is the kernel's
 * own answer, and readiness is only a hint when to ask. */
#include <gev/io.h>

#include <stdlib.h>

#include "lib/base/result.h"
#include "lib/base/sys.h"
#include "lib/io/operation.h"
#include "lib/io/readiness.h"

int gev_fd_wait(int fd, int events, double timeout)
{
	struct gev__operation op;
	int r = events & ~(GEV_READABLE | GEV_WRITABLE) || events == 0 ? -EINVAL
								       : gev__operation_begin(&op, fd, timeout);
	if (r == 0) {
		struct pollfd now = {.fd = fd};
		now.events = (short)((events & GEV_READABLE ? POLLIN : 0) | (events & GEV_WRITABLE ? POLLOUT : 0));
		r = gev__sys.poll(&now, 1, 0);
		if (r > 0 && now.revents & POLLNVAL)
			r = -EBADF;
		else if (r > 0)
			r = (now.revents & (POLLIN | POLLERR | POLLHUP) ? events & GEV_READABLE : 0) |
			    (now.revents & (POLLOUT | POLLERR | POLLHUP) ? events & GEV_WRITABLE : 0);
		if (r == 0 || (r < 0 && r != -EBADF))
			r = op.deadline == 0 ? -ETIMEDOUT : gev__fd_wait(fd, events, op.deadline, GEV_PARK_KILLABLE);
	}
	return (int)gev__result(r);
}

static int look(struct pollfd *fds, nfds_t n)
{
	int r = gev__sys.poll(fds, n, 0);
	return r >= 0 ? r : errno == EINTR ? 0 : -errno;
}

static int rest(int64_t deadline)
{
	int64_t until = gev__now() + NS_PER_S / 1000;
	return gev__sleep_until(until < deadline ? until : deadline, GEV_PARK_KILLABLE);
}

/* Of one descriptor the kernel need not be asked twice: when the last read has taken all there was, the wait comes first; and what ended the wait is
 * poll's own word. */
static bool seems_empty(const struct pollfd *p)
{
	return gev_poll_reads_only(p) && p->fd >= 0 && gev__fd_drained(p->fd);
}

/* A read of it need not wait first any more. */
static void note_filled(const struct pollfd *p)
{
	if (p->revents & (POLLIN | POLLRDNORM) && gev__fd_drained(p->fd))
		gev__fd_note_read(p->fd, false);
}

/* Why it came back; > 0 with revents: they are the answer. */
static int wait_for_one(struct pollfd *p, int64_t deadline)
{
	int r = gev__fd_poll(p->fd, (unsigned short)p->events, deadline, GEV_PARK_KILLABLE);
	p->revents = gev_poll_answer(r);
	note_filled(p);
	return r;
}

static int poll_until(struct pollfd *fds, nfds_t n, int64_t deadline)
{
	enum { FEW = 16, SPINS = 4 };
	struct gev_fd_want few[FEW], *want = few;
	bool one = n == 1 && fds->fd >= 0;
	int r = one && deadline != 0 && seems_empty(fds) ? 0 : look(fds, n);
	if (r > 0 && one)
		note_filled(fds);
	if (r != 0 || deadline == 0)
		return r;
	if (n > FEW && (want = malloc(n * sizeof *want)) == NULL)
		return -ENOMEM;
	size_t wants = gev_fd_wants(want, fds, n);
	for (unsigned rounds = 0; r == 0; rounds++) {
		/* epoll reports hang-ups and errors of a descriptor whose other direction was asked for; rounds in vain are then followed by a rest. */
		int why = rounds < SPINS ? 0 : rest(deadline);
		if (why == 0 && one) {
			why = wait_for_one(fds, deadline);
			if (fds->revents)
				return 1;
		} else if (why == 0)
			why = wants ? gev__fds_wait(want, wants, deadline, GEV_PARK_KILLABLE)
				    : gev__sleep_until(deadline, GEV_PARK_KILLABLE);
		/* An epoll descriptor that cannot be watched: only the kernel knows, when it is asked. */
		if (why == -ELOOP)
			why = rest(deadline);
		/* Closed meanwhile: the kernel's word for it is POLLNVAL. */
		if (why < 0 && why != -EBADF) {
			r = why;
			break;
		}
		r = look(fds, n);
		if (r == 0 && gev__now() >= deadline)
			break;
	}
	if (want != few)
		free(want);
	return r;
}

int gev_poll(struct pollfd *fds, nfds_t n, double timeout)
{
	struct gev__operation op;
	int r = gev__operation_begin(&op, -1, timeout);
	return (int)gev__result(r < 0 ? r : poll_until(fds, n, op.deadline));
}
