/* SO_LINGER: the last close of a socket waits until its peer has what was sent, or until the time is over (socket(7); net/ipv4/tcp.c, tcp_close;
 * the same in SCTP and vsock, never in Unix sockets). O_NONBLOCK does not change that, nor does the way in which it is closed: dup2, close_range, fclose.
 *
 * Nothing tells when, so a real thread waits in the kernel. The number is free as soon as close has begun (fs/open.c, close), and may be given to
 * another file while it waits: so the thread does not close that number. It gets a copy,
 *
 *      number ----> socket            number free           number free
 *      copy ------/                   copy -> socket        copy -> a file of the runtime's; the thread waits in dup3
 *
 * and replaces it instead of closing it, so that the copy's number stays ours until we give it back. */
#include "shim/libc/linger.h"

#include <sys/eventfd.h>
#include <sys/mman.h>

#include "shim/libc/kernel.h"
#include "shim/pthread/aside.h"
#include "shim/signal/signals.h"

/* Where descriptors are limited to the usual 1024: in the upper half. */
enum { LESS_HIGH = 512 };

/* Before there was a runtime: any number that nothing is known of may be meant. */
static bool wished_early;

static bool is_held(const struct description *d)
{
	return d->held;
}

static bool is_lingering(const struct description *d)
{
	return d->lingers;
}

static int copy_high(int fd)
{
	int copy = real.fcntl(fd, F_DUPFD_CLOEXEC, OWN_FD_FIRST);
	if (copy < 0)
		copy = real.fcntl(fd, F_DUPFD_CLOEXEC, LESS_HIGH);
	return copy >= 0 ? copy : real.fcntl(fd, F_DUPFD_CLOEXEC, 0);
}

static void hold(struct own_fd *held, int fd)
{
	own_take(held, copy_high(fd), false);
	if (held->about)
		fds_peek(held->fd)->held = true;
}

/* What takes the copies' place: made once, and never closed. -1: it cannot be made. */
static int stand_in(void)
{
	static int made = -1;
	if (made < 0) {
		int low = real.eventfd(0, EFD_CLOEXEC);
		int high = low >= 0 ? copy_high(low) : -1;
		if (low >= 0)
			kernel_call6(SYS_close, low, 0, 0, 0, 0, 0);
		if (high >= 0)
			patch_gev->fd_claim(high);
		made = high;
	}
	return made;
}

void linger_begin(struct own_fd *held, int fd)
{
	const struct description *d = wished_early ? fds_get(fd) : fds_peek(fd);
	int saved = errno;
	held->fd = -1;
	if (d && d->lingers && patch_green() && stand_in() >= 0)
		hold(held, fd);
	errno = saved;
}

void linger_end(struct own_fd *held, bool cancels)
{
	const unsigned flags = GEV_PARK_INTERRUPTIBLE | (cancels ? GEV_PARK_KILLABLE : 0);
	const long args[6] = {stand_in(), held->fd, O_CLOEXEC};
	const struct linger no = {0};
	int saved = errno;
	long result;
	int r = patch_aside_syscall(SYS_dup3, args, flags, &result);
	/* The thread was not in the kernel yet. The close has begun all the same, the number is free: it ends now, without the wait. */
	if (r == -EINTR || r == -ECANCELED)
		real.setsockopt(held->fd, SOL_SOCKET, SO_LINGER, &no, sizeof no);
	own_close(held); /* where there was no thread to be had, this is what waits */
	if (r == -EINTR)
		patch_interrupted(true);
	errno = saved;
}

static int next_lingering(int from, unsigned last)
{
	return from >= 0 ? fds_next((unsigned)from, last, is_lingering) : -1;
}

void linger_begin_many(struct linger_many *many, unsigned first, unsigned last)
{
	size_t n = 0;
	many->n = 0;
	if (first > INT32_MAX || !patch_green() || stand_in() < 0)
		return;
	for (int fd = next_lingering((int)first, last); fd >= 0; fd = next_lingering(fd + 1, last))
		n++;
	if (n == 0)
		return;
	int saved = errno;
	void *room = mmap(NULL, n * sizeof *many->held, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	many->held = room;
	if (room != MAP_FAILED)
		for (int fd = next_lingering((int)first, last); fd >= 0 && many->n < n;
		     fd = next_lingering(fd + 1, last))
			hold(&many->held[many->n++], fd);
	errno = saved;
}

void linger_end_many(struct linger_many *many)
{
	for (size_t i = 0; i < many->n; i++)
		if (many->held[i].fd >= 0)
			linger_end(&many->held[i], false);
	munmap(many->held, many->n * sizeof *many->held);
}

bool linger_holds(int fd)
{
	const struct description *d = fds_peek(fd);
	return d && d->held;
}

int linger_next_held(unsigned first, unsigned last)
{
	return fds_next(first, last, is_held);
}

void linger_wished(struct description *d, const struct linger *wish)
{
	bool wished = wish->l_onoff && wish->l_linger != 0;
	if (d)
		d->lingers = wished && !d->local;
	else if (wished)
		wished_early = true;
	if (wished)
		fds_lingering = true;
}

void linger_forked(void)
{
	if (!fds_lingering)
		return;
	for (int fd = linger_next_held(0, INT32_MAX); fd >= 0; fd = linger_next_held((unsigned)fd + 1, INT32_MAX)) {
		fds_forget(fd);
		kernel_call6(SYS_close, fd, 0, 0, 0, 0, 0);
	}
}
