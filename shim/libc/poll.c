/* poll and ppoll: the real call with a zero timeout, then a park, then the real call again: every flag the program
 * sees is the kernel's own answer, and readiness is only a hint when to ask. One deadline for all rounds. */
#define PATCH_FAMILY PATCH_FAMILY_POLL

#include <stdlib.h>

#include "shim/libc/poll.h"

enum { ON_STACK = 16 };

/* A round after which nothing was ready although the wait said so. epoll always reports hang-ups and errors, which
 * select's sets may not ask for: rather than spin, such rounds come a millisecond apart. */
int poll_rest(unsigned rounds, int64_t deadline)
{
	if (rounds < 4)
		return 0;
	int64_t until = io_after(1000000);
	return patch_gev->sleep_until(until < deadline ? until : deadline, GEV_PARK_KILLABLE);
}

/* Nothing was ready and the caller does not wait. Native threads would be preempted in such a loop; let the others
 * run now and then. */
void poll_spun(void)
{
	static unsigned spins;
	if (__atomic_add_fetch(&spins, 1, __ATOMIC_RELAXED) % 8 == 0)
		patch_gev->yield();
}

int poll_wait(const struct gev_fd_want *want, size_t n, int64_t deadline, bool masked)
{
	/* A signal that only the call's own mask lets through is noticed by the zero-timeout calls: they must not
	 * be far apart. */
	if (masked) {
		int64_t look = io_after(MASKED_SLICE);
		deadline = look < deadline ? look : deadline;
	}
	int r = n > 0 ? patch_gev->fds_wait(want, n, deadline, GEV_PARK_KILLABLE)
		      : patch_gev->sleep_until(deadline, GEV_PARK_KILLABLE);
	/* Closed meanwhile: the kernel's word for it comes with the next round. */
	return r == -EBADF ? 1 : r;
}

/* Whether the mask lets a signal through that is blocked now. */
bool poll_mask_opens(const sigset_t *mask)
{
	sigset_t now;
	if (mask == NULL || pthread_sigmask(SIG_SETMASK, NULL, &now) != 0)
		return false;
	for (int sig = 1; sig < NSIG; sig++)
		if (sigismember(&now, sig) == 1 && sigismember(mask, sig) == 0)
			return true;
	return false;
}

static size_t list_wants(struct gev_fd_want *want, const struct pollfd *fds, nfds_t n)
{
	const short in = POLLIN | POLLRDNORM, out = POLLOUT | POLLWRNORM;
	size_t k = 0;
	for (nfds_t i = 0; i < n; i++) {
		short e = fds[i].events;
		if (fds[i].fd < 0)
			continue;
		want[k] = (struct gev_fd_want){.fd = fds[i].fd};
		if (e == 0 || (e & ~(in | out)))
			want[k].poll_events = e ? e : POLLERR | POLLHUP;
		else
			want[k].events = (short)((e & in ? GEV_READABLE : 0) | (e & out ? GEV_WRITABLE : 0));
		k++;
	}
	return k;
}

static int look(struct pollfd *fds, nfds_t n, const sigset_t *mask)
{
	static const struct timespec zero;
	return mask ? real.ppoll(fds, n, &zero, mask) : real.poll(fds, n, 0);
}

static int wait_rounds(struct pollfd *fds, nfds_t n, int64_t deadline, const sigset_t *mask)
{
	struct gev_fd_want few[ON_STACK], *want = few;
	bool masked = poll_mask_opens(mask);
	int r = 0;
	if (n > ON_STACK && (want = malloc(n * sizeof *want)) == NULL)
		return -ENOMEM;
	size_t wants = list_wants(want, fds, n);
	for (unsigned rounds = 0; r == 0; rounds++) {
		r = poll_rest(rounds, deadline);
		if (r == 0)
			r = poll_wait(want, wants, deadline, masked);
		if (r < 0)
			break;
		if (r == 0)
			rounds = 0;
		r = look(fds, n, mask);
		if (r < 0)
			r = -errno;
		else if (r == 0 && io_now() >= deadline)
			break;
	}
	if (want != few)
		free(want);
	return r;
}

/* timeout in nanoseconds; GEV_NEVER: none. */
static int poll_green(struct pollfd *fds, nfds_t n, int64_t timeout, const sigset_t *mask)
{
	io_cancellation_point();
	int saved = errno;
	int r = look(fds, n, mask);
	if (r != 0)
		return r;
	if (timeout == 0)
		poll_spun();
	else
		r = wait_rounds(fds, n, io_after(timeout), mask);
	return (int)io_result(r, saved);
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
