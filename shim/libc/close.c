/* The closers. Whoever waits for the number must wake before it is gone, what is known of it is forgotten, and the
 * runtime's own descriptors stay open: daemons close everything they find. The bookkeeping is done on every thread,
 * green or not.
 *
 * close on one of the runtime's numbers gives EBADF, as natively, where nothing would be open there; dup2 onto one
 * too: it cannot be honoured, and of dup2's errors it is the one that says "not this number" (dup(2): out of the
 * allowed range). */
#include "shim/libc/close.h"

#include "shim/fds/fds.h"
#include "shim/libc/kernel.h"
#include "shim/libc/linger.h"
#include "shim/libc/wait.h"

void fd_goes(int fd)
{
	if (!patch_started || fd < 0)
		return;
	int saved = errno;
	patch_gev->fd_closing(fd);
	fds_forget(fd);
	errno = saved;
}

void fd_gone(int fd)
{
	if (patch_started && fd >= 0)
		patch_gev->fd_closed(fd);
}

static void close_quietly(int fd)
{
	int saved = errno;
	kernel_call6(SYS_close, fd, 0, 0, 0, 0, 0);
	errno = saved;
}

int own_take(struct own_fd *own, int fd, bool low)
{
	*own = (struct own_fd){.fd = -1};
	if (fd < 0)
		return -1;
	if (low) {
		int saved = errno;
		int high = real.fcntl(fd, F_DUPFD_CLOEXEC, OWN_FD_FIRST);
		errno = saved;
		if (high >= 0) { /* else there is no room up there */
			close_quietly(fd);
			fd = high;
		}
	}
	own->fd = fd;
	fd_begins(fd);
	struct description *about = fds_made(fd, FD_SLOW, true);
	own->about = about;
	if (about) {
		own->life = about->life;
		about->own = true;
	}
	return fd;
}

void own_close(struct own_fd *own)
{
	int fd = own->fd;
	const struct description *known = fd >= 0 ? fds_peek(fd) : NULL;
	own->fd = -1;
	if (fd < 0 || known != own->about || (known && known->life != own->life))
		return;
	fd_goes(fd);
	close_quietly(fd);
	fd_gone(fd);
}

/* Whether it is the runtime's, and not the program's to close or to replace. */
static bool is_own(int fd)
{
	return patch_gev->fd_internal(fd) || (unlikely(fds_lingering) && linger_holds(fd));
}

static __attribute__((noinline, cold)) int close_lingering(int fd, bool cancels)
{
	struct own_fd lingers;
	if (is_own(fd)) {
		errno = EBADF;
		return -1;
	}
	linger_begin(&lingers, fd);
	fd_goes(fd);
	int r = real.close(fd);
	fd_gone(fd);
	if (lingers.fd >= 0)
		linger_end(&lingers, cancels);
	return r;
}

static inline __attribute__((always_inline)) int close_number(int fd, bool cancels)
{
	if (unlikely(fds_lingering))
		return close_lingering(fd, cancels);
	if (patch_gev->fd_internal(fd)) {
		errno = EBADF;
		return -1;
	}
	fd_goes(fd);
	int r = real.close(fd);
	fd_gone(fd);
	return r;
}

int fd_close(int fd)
{
	return close_number(fd, false);
}

int patch_close(int fd)
{
	if (likely(!patch_started))
		return real.close(fd);
	io_cancellation_point();
	return close_number(fd, true);
}
EXPORT(close);
EXPORT_AS(__close, close);

/* The lowest number of the runtime's in [first, last], or last + 1 (64 bits: last may be UINT_MAX). */
static uint64_t next_internal(unsigned first, unsigned last)
{
	int fd = first <= INT32_MAX ? patch_gev->fd_internal_next((int)first) : -1;
	int held = unlikely(fds_lingering) ? linger_next_held(first, last) : -1;
	if (held >= 0 && (fd < 0 || held < fd))
		fd = held;
	return fd >= 0 && (unsigned)fd <= last ? (uint64_t)fd : (uint64_t)last + 1;
}

static int close_pieces(unsigned first, unsigned last, int flags)
{
	int r = 0;
	for (uint64_t from = first; from <= last && r == 0;) {
		uint64_t internal = next_internal((unsigned)from, last);
		if (from < internal) {
			/* With CLOSE_RANGE_CLOEXEC nothing is closed now. */
			bool closes = !(flags & (int)CLOSE_RANGE_CLOEXEC);
			if (closes) {
				patch_gev->fds_closing((unsigned)from, (unsigned)(internal - 1));
				fds_forget_range((unsigned)from, (unsigned)(internal - 1));
			}
			r = real.close_range((unsigned)from, (unsigned)(internal - 1), flags);
			if (closes)
				patch_gev->fds_closed((unsigned)from, (unsigned)(internal - 1));
		}
		from = internal + 1;
	}
	return r;
}

int patch_close_range(unsigned first, unsigned last, int flags)
{
	const int known = (int)(CLOSE_RANGE_CLOEXEC | CLOSE_RANGE_UNSHARE);
	if (!patch_started || first > last || (flags & ~known))
		return real.close_range(first, last, flags);
	struct linger_many lingers = {.n = 0};
	if (unlikely(fds_lingering) && !(flags & (int)CLOSE_RANGE_CLOEXEC))
		linger_begin_many(&lingers, first, last);
	int r = close_pieces(first, last, flags);
	if (unlikely(lingers.n > 0))
		linger_end_many(&lingers);
	return r;
}
EXPORT(close_range);

void patch_closefrom(int first)
{
	if (!patch_started) {
		real.closefrom(first);
		return;
	}
	if (first < 0)
		first = 0;
	int saved = errno;
	/* A kernel before 5.9: one by one, as libc does it there. */
	if (patch_close_range((unsigned)first, UINT32_MAX, 0) < 0)
		for (int fd = first; fd < sysconf(_SC_OPEN_MAX); fd++)
			fd_close(fd);
	errno = saved;
}
EXPORT(closefrom);

int patch_dup(int fd)
{
	int copy = real.dup(fd);
	if (patch_started && copy >= 0)
		fd_dupped(fd, copy);
	return copy;
}
EXPORT(dup);

void fd_dupped(int from, int to)
{
	int saved = errno;
	fd_begins(to);
	fds_dup(from, to);
	errno = saved;
}

/* Before dup2 and dup3 replace `to`. False: not possible, errno is set. A number that dup2 would leave alone is not
 * closed: so `from` must be open. */
static bool replace_begin(int from, int to, struct own_fd *lingers)
{
	lingers->fd = -1;
	if (is_own(to)) {
		errno = EBADF;
		return false;
	}
	if (real.fcntl(from, F_GETFD, 0) < 0)
		return false;
	if (unlikely(fds_lingering))
		linger_begin(lingers, to);
	fd_goes(to);
	return true;
}

/* After it: r. */
static int replace_end(int from, int to, int r, struct own_fd *lingers)
{
	fd_gone(to);
	if (r >= 0)
		fd_dupped(from, to);
	if (unlikely(lingers->fd >= 0))
		linger_end(lingers, false);
	return r;
}

int patch_dup2(int fd, int to)
{
	struct own_fd lingers;
	if (!patch_started || fd == to || to < 0)
		return real.dup2(fd, to);
	if (!replace_begin(fd, to, &lingers))
		return -1;
	return replace_end(fd, to, real.dup2(fd, to), &lingers);
}
EXPORT(dup2);
EXPORT_AS(__dup2, dup2);

int patch_dup3(int fd, int to, int flags)
{
	struct own_fd lingers;
	if (!patch_started || fd == to || to < 0 || (flags & ~O_CLOEXEC))
		return real.dup3(fd, to, flags);
	if (!replace_begin(fd, to, &lingers))
		return -1;
	return replace_end(fd, to, real.dup3(fd, to, flags), &lingers);
}
EXPORT(dup3);
