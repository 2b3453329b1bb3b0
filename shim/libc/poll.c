/* poll and ppoll: the real call with a zero timeout, then a park, then the real call again: every flag the program
 * sees is the kernel's own answer, and readiness is only a hint when to ask. One deadline for all rounds.
 *
 * Of one descriptor the kernel need not be asked twice. Before the wait: the last read has found a stream empty, as in a program that tries first and
 * polls then; should it not be empty any more, the wait ends at once. After it: what ended the wait is the kernel's word already. */
#define PATCH_FAMILY PATCH_FAMILY_POLL

#include <stdlib.h>

#include "shim/libc/poll.h"
#include "shim/signal/signals.h"

enum { ON_STACK = 16 };

/* A round after which nothing was ready although the wait said so. epoll always reports hang-ups and errors, which
 * select's sets may not ask for: rather than spin, such rounds come a millisecond apart. */
int poll_rest(unsigned rounds, int64_t deadline)
{
	if (rounds < 4)
		return 0;
	int64_t until = io_after(1000000);
	return io_sleep(until < deadline ? until : deadline);
}

/* Nothing was ready and the caller does not wait. Native threads would be preempted in such a loop; let the others
 * run now and then. */
void poll_spun(void)
{
	static unsigned spins;
	if (__atomic_add_fetch(&spins, 1, __ATOMIC_RELAXED) % 8 == 0)
		patch_gev->yield();
}

/* How a wait of the runtime's ended, as poll_wait says it. */
static int waited(int r, int64_t deadline)
{
	/* poll and select are never restarted (signal(7)). */
	if (r == -EINTR)
		r = patch_interrupted(false);
	/* An epoll descriptor that cannot be watched, or nothing to watch with: only the kernel knows, when it is asked. */
	if (r == -ELOOP || r == -EMFILE || r == -ENFILE || r == -ENOMEM) {
		int64_t until = io_after(1000000);
		r = io_sleep(until < deadline ? until : deadline);
		return r < 0 ? r : 1;
	}
	/* Closed meanwhile: the kernel's word for it comes with the next round. */
	return r == -EBADF ? 1 : r;
}

int poll_wait(const struct gev_fd_want *want, size_t n, int64_t deadline)
{
	if (n == 0)
		return io_sleep(deadline);
	return waited(patch_gev->fds_wait(want, n, deadline, GEV_PARK_KILLABLE | GEV_PARK_INTERRUPTIBLE), deadline);
}

int poll_wait_for_one(struct pollfd *p, int64_t deadline)
{
	int r = patch_gev->fd_poll(p->fd, (unsigned short)p->events, deadline,
				   GEV_PARK_KILLABLE | GEV_PARK_INTERRUPTIBLE);
	p->revents = gev_poll_answer(r);
	return r > 0 ? 1 : waited(r, deadline);
}

bool poll_seems_empty(const struct pollfd *p)
{
	const struct description *d = fds_peek(p->fd);
	return d && d->drained && d->kind == FD_STREAM && gev_poll_reads_only(p);
}

/* The next reads of those that have something need not wait first. */
void poll_note_filled(int fd)
{
	struct description *d = fds_peek(fd);
	if (d && d->drained)
		__atomic_store_n(&d->drained, 0, __ATOMIC_RELAXED);
}

static int note_filled(const struct pollfd *fds, nfds_t n, int ready)
{
	for (nfds_t i = 0; i < n && i < ON_STACK && ready > 0; i++)
		if (fds[i].revents & (POLLIN | POLLRDNORM))
			poll_note_filled(fds[i].fd);
	return ready;
}

/* A mask for the time of the wait: what it lets through and waits already ends the wait at once. 0 or -EINTR. */
int poll_mask_begin(const sigset_t *mask, uint64_t *before)
{
	if (mask == NULL)
		return 0;
	*before = patch_mask_lend(sig_bits(mask));
	patch_attend_looking();
	return patch_interrupted(false);
}

void poll_mask_end(const sigset_t *mask, uint64_t before)
{
	if (mask)
		patch_mask_give_back(before);
}

static int wait_rounds(struct pollfd *fds, nfds_t n, int64_t deadline, const sigset_t *mask)
{
	struct gev_fd_want few[ON_STACK], *want = few;
	uint64_t before = 0;
	if (n > ON_STACK && (want = malloc(n * sizeof *want)) == NULL)
		return -ENOMEM;
	size_t wants = gev_fd_wants(want, fds, n);
	bool one = n == 1 && wants == 1;
	int r = poll_mask_begin(mask, &before);
	for (unsigned rounds = 0; r == 0; rounds++) {
		r = poll_rest(rounds, deadline);
		if (r == 0)
			r = one ? poll_wait_for_one(fds, deadline) : poll_wait(want, wants, deadline);
		if ((r < 0 && r != -EINTR) || (r > 0 && one && fds->revents))
			break;
		if (r == 0)
			rounds = 0;
		/* The kernel, too, looks at the descriptors before it says that a signal came. */
		int ready = io_poll(fds, n);
		if (ready != 0)
			r = ready > 0 ? ready : -errno;
		else if (r == -EINTR || io_now() >= deadline)
			break;
		else
			r = 0;
	}
	poll_mask_end(mask, before);
	if (want != few)
		free(want);
	return r;
}

/* Nothing is ready, and the caller does not wait; but a signal may do. */
int poll_at_once(const sigset_t *mask)
{
	uint64_t before = 0;
	int r = poll_mask_begin(mask, &before);
	poll_mask_end(mask, before);
	if (r == 0)
		poll_spun();
	return r;
}

/* timeout in nanoseconds; GEV_NEVER: none. */
static int poll_green(struct pollfd *fds, nfds_t n, int64_t timeout, const sigset_t *mask)
{
	io_cancellation_point();
	int saved = errno;
	int r = n == 1 && timeout != 0 && mask == NULL && poll_seems_empty(fds) ? 0 : io_poll(fds, n);
	if (r != 0) {
		patch_give_way();
		return note_filled(fds, n, r);
	}
	if (timeout == 0)
		r = poll_at_once(mask);
	else
		r = wait_rounds(fds, n, io_after(timeout), mask);
	return (int)io_result(note_filled(fds, n, r), saved);
}

int patch_poll(struct pollfd *fds, nfds_t n, int timeout)
{
	if (!patch_green())
		return real.poll(fds, n, timeout);
	return poll_green(fds, n, timeout < 0 ? GEV_NEVER : timeout * INT64_C(1000000), NULL);
}
EXPORT(poll);
EXPORT_AS(__poll, poll);

int patch_ppoll(struct pollfd *fds, nfds_t n, const struct timespec *timeout, const sigset_t *mask)
{
	if (!patch_green() || !poll_time_valid(timeout))
		return real.ppoll(fds, n, timeout, mask);
	return poll_green(fds, n, poll_nanoseconds(timeout), mask);
}
EXPORT(ppoll);

/* _FORTIFY_SOURCE: libc's own ends the program when the array is smaller than n. */
int patch___poll_chk(struct pollfd *fds, nfds_t n, int timeout, size_t room)
{
	return room / sizeof *fds < n ? real.__poll_chk(fds, n, timeout, room) : patch_poll(fds, n, timeout);
}
EXPORT(__poll_chk);

int patch___ppoll_chk(struct pollfd *fds, nfds_t n, const struct timespec *timeout, const sigset_t *mask, size_t room)
{
	return room / sizeof *fds < n ? real.__ppoll_chk(fds, n, timeout, mask, room)
				      : patch_ppoll(fds, n, timeout, mask);
}
EXPORT(__ppoll_chk);
