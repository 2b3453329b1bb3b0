/* The makers. A new number may bear old knowledge, and an old watch, if it was closed past all wrappers: that ends here, and for those of which
 * nothing more is known in makers.c. (What has no wrapper, pidfd_open and the like, does not tell; whoever waits for such a number, closed like that while
 * it was watched, may wait in vain.) And what is known from the start need not be asked for. */
#include <sys/eventfd.h>

#include "shim/fds/fds.h"
#include "shim/libc/close.h"
#include "shim/libc/fifo.h"
#include "shim/libc/wait.h"

static int opened(int fd)
{
	if (unlikely(patch_started) && fd >= 0)
		fd_begins(fd);
	return fd;
}

APART static int openat_started(int dir, const char *path, int flags, mode_t mode)
{
	io_cancellation_point();
	if (!patch_green() || !fifo_would_wait(dir, path, flags)) {
		int fd = opened(real.openat(dir, path, flags, mode));
		if (unlikely(flags & O_DIRECT) && fd >= 0)
			fds_get(fd); /* what asks the disk at each transfer must be known as such */
		return fd;
	}
	int saved = errno;
	return opened((int)io_result(fifo_open(dir, path, flags), saved));
}

int patch_open(const char *path, int flags, mode_t mode)
{
	return likely(!patch_started) ? real.open(path, flags, mode) : openat_started(AT_FDCWD, path, flags, mode);
}
EXPORT(open);
EXPORT_AS(__open, open);
EXPORT_AS(__open64, open);
EXPORT_AS(open64, open);

int patch_openat(int dir, const char *path, int flags, mode_t mode)
{
	return likely(!patch_started) ? real.openat(dir, path, flags, mode) : openat_started(dir, path, flags, mode);
}
EXPORT(openat);
EXPORT_AS(openat64, openat);

int patch_creat(const char *path, mode_t mode)
{
	return patch_open(path, O_CREAT | O_WRONLY | O_TRUNC, mode);
}
EXPORT(creat);
EXPORT_AS(creat64, creat);

/* libc's own ends the program when a mode would be needed, and was not given. */
static bool needs_mode(int flags)
{
	return (flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE;
}

int patch___open_2(const char *path, int flags)
{
	return needs_mode(flags) ? real.__open_2(path, flags) : patch_open(path, flags, 0);
}
EXPORT(__open_2);
EXPORT_AS(__open64_2, __open_2);

int patch___openat_2(int dir, const char *path, int flags)
{
	return needs_mode(flags) ? real.__openat_2(dir, path, flags) : patch_openat(dir, path, flags, 0);
}
EXPORT(__openat_2);
EXPORT_AS(__openat64_2, __openat_2);

static void made_pipe(int fd, int flags)
{
	fd_begins(fd);
	struct description *d = fds_made(fd, FD_SLOW, (flags & O_NONBLOCK) != 0);
	if (d)
		d->piece = 4096;
}

int patch_pipe2(int fds[2], int flags)
{
	int r = real.pipe2(fds, flags);
	if (unlikely(patch_started) && r == 0) {
		made_pipe(fds[0], flags);
		made_pipe(fds[1], flags);
	}
	return r;
}
EXPORT(pipe2);

int patch_pipe(int fds[2])
{
	if (likely(!patch_started))
		return real.pipe(fds);
	return patch_pipe2(fds, 0);
}
EXPORT(pipe);
EXPORT_AS(__pipe, pipe);

static void made_counter(int fd, int flags)
{
	fd_begins(fd);
	struct description *d = fds_made(fd, FD_SLOW, (flags & EFD_NONBLOCK) != 0);
	if (d) {
		d->counter = true;
		d->no_nowait = GEV_WRITABLE;
	}
}

int patch_eventfd(unsigned value, int flags)
{
	int fd = real.eventfd(value, flags);
	if (unlikely(patch_started) && fd >= 0)
		made_counter(fd, flags);
	return fd;
}
EXPORT(eventfd);

static void made_socket(int fd, int domain, int type)
{
	int kind = (type & ~(SOCK_NONBLOCK | SOCK_CLOEXEC)) == SOCK_STREAM ? FD_STREAM : FD_MESSAGE;
	fd_begins(fd);
	struct description *d = fds_made(fd, (enum fd_kind)kind, (type & SOCK_NONBLOCK) != 0);
	if (d)
		d->local = domain == AF_UNIX;
}

int patch_socket(int domain, int type, int protocol)
{
	int fd = real.socket(domain, type, protocol);
	if (unlikely(patch_started) && fd >= 0)
		made_socket(fd, domain, type);
	return fd;
}
EXPORT(socket);

int patch_socketpair(int domain, int type, int protocol, int fds[2])
{
	int r = real.socketpair(domain, type, protocol, fds);
	if (unlikely(patch_started) && r == 0) {
		made_socket(fds[0], domain, type);
		made_socket(fds[1], domain, type);
	}
	return r;
}
EXPORT(socketpair);
