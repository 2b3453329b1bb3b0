/* fcntl, ioctl, setsockopt, listen: what the program says about how its descriptors shall behave. The kernel is
 * told as natively, and what was said is remembered; O_NONBLOCK that is only ours (fds/flags.c) is not shown. */
#include <sys/ioctl.h>
#include <sys/time.h>

#include "shim/fds/fds.h"
#include "shim/libc/close.h"
#include "shim/libc/linger.h"
#include "shim/libc/lock.h"
#include "shim/libc/storage.h"
#include "shim/libc/terminal.h"
#include "shim/libc/wait.h"
#include "shim/signal/signals.h"

/* The program's wish has reached the kernel. */
static void note_wish(struct description *d, bool wish)
{
	wish = wish && d->kind != FD_PLAIN;
	if (d->wish != wish) {
		d->wish = wish;
		fds_changed(d);
	}
}

APART static int get_flags(int fd)
{
	int flags = real.fcntl(fd, F_GETFL, 0);
	if (flags < 0 || !(flags & O_NONBLOCK))
		return flags;
	struct description *d = patch_started ? fds_peek(fd) : NULL;
	/* A listener inherited from a patched parent may be marked before there is a runtime here: the parent relies on it. */
	bool ours = d ? d->covert && !d->wish : fds_marked(fd);
	return ours ? flags & ~O_NONBLOCK : flags;
}

/* Signals are sent for a descriptor by number and owner, which a mark would change; and they must not change what it is while somebody shares it. */
static void uncover_for_signals(int fd)
{
	struct description *d = patch_started ? fds_peek(fd) : NULL;
	fds_bare(fd);
	if (d)
		d->covert = false;
}

APART static int set_flags(int fd, unsigned long arg)
{
	struct description *d = patch_started ? fds_get(fd) : NULL;
	bool wish = (arg & O_NONBLOCK) != 0;
	if (arg & O_ASYNC)
		uncover_for_signals(fd);
	if (d == NULL)
		return real.fcntl(fd, F_SETFL, !wish && fds_marked(fd) ? arg | O_NONBLOCK : arg);
	fds_look_again(fd, d);
	if (d->covert && wish)
		fds_uncover(fd, d);
	int r = real.fcntl(fd, F_SETFL, d->covert ? arg | O_NONBLOCK : arg);
	if (r == 0) {
		d->direct = d->kind == FD_PLAIN && (arg & O_DIRECT);
		note_wish(d, wish);
	}
	return r;
}

APART static int set_owner(int fd, unsigned long arg)
{
	int r = real.fcntl(fd, F_SETOWN, arg);
	if (r == 0)
		patch_owner_forget(fd);
	return r;
}

APART static int duplicate(int fd, int command, unsigned long arg)
{
	int copy = real.fcntl(fd, command, arg);
	if (patch_started && copy >= 0)
		fd_dupped(fd, copy);
	return copy;
}

int patch_fcntl(int fd, int command, unsigned long arg)
{
	switch (command) {
	case F_GETFL:
		return get_flags(fd);
	case F_SETFL:
		return set_flags(fd, arg);
	case F_GETSIG:
		return fds_marked(fd) || fds_given(fd) ? 0 : real.fcntl(fd, F_GETSIG, 0);
	case F_SETSIG:
		uncover_for_signals(fd);
		return real.fcntl(fd, F_SETSIG, arg);
	case F_SETOWN:
		return set_owner(fd, arg);
	case F_SETOWN_EX:
		return patch_owner_set(fd, (const struct f_owner_ex *)arg);
	case F_GETOWN:
		return patch_owner_number(fd, real.fcntl(fd, F_GETOWN, 0));
	case F_GETOWN_EX:
		return patch_owner_get(fd, (struct f_owner_ex *)arg);
	case F_DUPFD:
	case F_DUPFD_CLOEXEC:
		return duplicate(fd, command, arg);
	case F_SETLKW:
	case F_OFD_SETLKW:
		return lock_record(fd, command, arg);
	default:
		return real.fcntl(fd, command, arg);
	}
}
EXPORT(fcntl);
EXPORT_AS(__fcntl, fcntl);
EXPORT_AS(fcntl64, fcntl);

APART static int set_nonblocking(int fd, unsigned long arg)
{
	struct description *d = patch_started ? fds_get(fd) : NULL;
	bool wish = *(const int *)arg != 0;
	if (d)
		fds_look_again(fd, d);
	if (d && d->covert && wish)
		fds_uncover(fd, d);
	bool ours = d ? d->covert : !wish && fds_marked(fd);
	int r = ours ? 0 : real.ioctl(fd, FIONBIO, arg);
	if (d && r == 0)
		note_wish(d, wish);
	return r;
}

int patch_ioctl(int fd, unsigned long request, unsigned long arg)
{
	if (request == FIONBIO && arg)
		return set_nonblocking(fd, arg);
	if (request == FIOASYNC && arg && *(const int *)arg)
		uncover_for_signals(fd);
	if (unlikely(patch_started && terminal_may_wait(request)))
		return terminal_request(fd, request, arg);
	if (unlikely(patch_started && storage_may_wait(request)))
		return storage_request(fd, request, arg);
	int r = real.ioctl(fd, request, arg);
	if (unlikely(request == FIOSETOWN || request == SIOCSPGRP) && r == 0)
		patch_owner_forget(fd);
	return r;
}
EXPORT(ioctl);

/* What the kernel made of a timeout (sock_set_timeout): zero is none, and a negative one does not wait at all. */
static int64_t nanoseconds(const struct timeval *t)
{
	if (t->tv_sec < 0)
		return 0;
	if ((t->tv_sec == 0 && t->tv_usec == 0) || t->tv_sec >= GEV_NEVER / 2000000000)
		return GEV_NEVER;
	return t->tv_sec * INT64_C(1000000000) + t->tv_usec * INT64_C(1000);
}

APART static int setsockopt_started(int fd, int level, int option, const void *value, socklen_t size)
{
	int r = real.setsockopt(fd, level, option, value, size);
	if (level != SOL_SOCKET || r < 0)
		return r;
	int saved = errno;
	struct description *d = fds_get(fd);
	bool known = d != NULL;
	if (known && option == SO_RCVTIMEO && size >= sizeof(struct timeval))
		d->receive_timeout = nanoseconds(value);
	else if (known && option == SO_SNDTIMEO && size >= sizeof(struct timeval))
		d->send_timeout = nanoseconds(value);
	else if (known && option == SO_RCVLOWAT && size >= sizeof(int))
		/* sock_setsockopt: negative means all there can be, zero means one. */
		d->low = *(const int *)value < 0 ? INT32_MAX
		       : *(const int *)value     ? (uint32_t) * (const int *)value
						 : 1;
	else if (known && option == SO_LINGER && size >= sizeof(struct linger))
		linger_wished(d, value);
	else if (known && option == SO_PASSCRED && size >= sizeof(int))
		d->credentials = *(const int *)value && d->local;
	else
		known = false;
	if (known)
		fds_changed(d);
	errno = saved;
	return r;
}

int patch_setsockopt(int fd, int level, int option, const void *value, socklen_t size)
{
	if (likely(!patch_started)) {
		int r = real.setsockopt(fd, level, option, value, size);
		if (unlikely(level == SOL_SOCKET && option == SO_LINGER && r == 0))
			linger_wished(NULL, value);
		return r;
	}
	return setsockopt_started(fd, level, option, value, size);
}
EXPORT(setsockopt);

int patch_shutdown(int fd, int how)
{
	int r = real.shutdown(fd, how);
	/* A writer blocked on a full Unix socket returns EPIPE now, but epoll has nothing to tell of it
	 * (unix_poll): let him try. */
	if (patch_started && r == 0 && how == SHUT_WR) {
		int saved = errno;
		patch_gev->fd_closing(fd);
		patch_gev->fd_closed(fd);
		errno = saved;
	}
	return r;
}
EXPORT(shutdown);

int patch_listen(int fd, int backlog)
{
	int r = real.listen(fd, backlog);
	struct description *d = patch_started && r == 0 ? fds_peek(fd) : NULL;
	if (d) {
		d->listening = true;
		fds_changed(d);
	}
	return r;
}
EXPORT(listen);
