/* What the kernel says about a descriptor that nobody told us about.
 *
 * At most nine system calls, once in the life of a description. Uses the originals only. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <termios.h>

#include "gev/embed.h"
#include "shim/base/patch.h"
#include "shim/fds/fds.h"

static int option(int fd, int name, int otherwise)
{
	int value = otherwise;
	socklen_t size = sizeof value;
	return real.getsockopt(fd, SOL_SOCKET, name, &value, &size) == 0 ? value : otherwise;
}

/* socket(7): a zero timeout is none. */
static int64_t timeout(int fd, int name)
{
	struct timeval t = {0};
	socklen_t size = sizeof t;
	if (real.getsockopt(fd, SOL_SOCKET, name, &t, &size) < 0 || (t.tv_sec == 0 && t.tv_usec == 0))
		return GEV_NEVER;
	return t.tv_sec >= GEV_NEVER / 1000000000 ? GEV_NEVER : t.tv_sec * 1000000000 + t.tv_usec * 1000;
}

/* A Unix socket's close never waits (net/unix/af_unix.c, unix_release). */
static bool lingers(int fd)
{
	struct linger l = {0};
	socklen_t size = sizeof l;
	return real.getsockopt(fd, SOL_SOCKET, SO_LINGER, &l, &size) == 0 && l.l_onoff && l.l_linger != 0;
}

static void learn_socket(int fd, struct description *d)
{
	d->kind = option(fd, SO_TYPE, SOCK_DGRAM) == SOCK_STREAM ? FD_STREAM : FD_MESSAGE;
	d->listening = option(fd, SO_ACCEPTCONN, 0) != 0;
	d->low = (uint32_t)option(fd, SO_RCVLOWAT, 1);
	d->local = option(fd, SO_DOMAIN, AF_UNSPEC) == AF_UNIX;
	d->credentials = d->local && option(fd, SO_PASSCRED, 0) != 0;
	d->lingers = !d->local && lingers(fd);
	if (d->lingers)
		fds_lingering = true;
	d->receive_timeout = timeout(fd, SO_RCVTIMEO);
	d->send_timeout = timeout(fd, SO_SNDTIMEO);
}

/* POLLOUT promises room for a page on a FIFO (pipe_poll: one free slot) and for some bytes on a terminal. A
 * character device that is neither may give each write a meaning of its own (a packet of a tun device): never cut
 * those. */
static uint16_t piece(int fd, mode_t mode)
{
	if (S_ISFIFO(mode))
		return 4096;
	struct termios t;
	return real.ioctl(fd, TCGETS, (unsigned long)&t) == 0 ? FDS_LINE : 0;
}

/* null, zero, full and urandom (Documentation/admin-guide/devices.txt). */
static bool bottomless(const struct stat *st)
{
	unsigned n = minor(st->st_rdev);
	return S_ISCHR(st->st_mode) && major(st->st_rdev) == 1 && (n == 3 || n == 5 || n == 7 || n == 9);
}

int fds_learn(int fd, struct description *d)
{
	int saved = errno, r = 0;
	struct stat st;
	int flags = real.fcntl(fd, F_GETFL, 0);
	if (flags < 0 || fstat(fd, &st) < 0) {
		r = -errno;
		errno = saved;
		return r;
	}
	d->receive_timeout = d->send_timeout = GEV_NEVER;
	d->low = 1;
	if (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode) || S_ISBLK(st.st_mode) || bottomless(&st)) {
		d->kind = FD_PLAIN;
	} else if (S_ISSOCK(st.st_mode)) {
		learn_socket(fd, d);
	} else {
		d->kind = FD_SLOW;
		d->counter = (st.st_mode & S_IFMT) == 0;
		if (S_ISFIFO(st.st_mode) || S_ISCHR(st.st_mode))
			d->piece = piece(fd, st.st_mode);
		/* Devices may take RWF_NOWAIT for leave to give less than there is. */
		if (S_ISCHR(st.st_mode))
			d->no_nowait = GEV_READABLE | GEV_WRITABLE;
	}
	bool set = (flags & O_NONBLOCK) != 0;
	d->covert = set && d->listening && fds_marked(fd);
	d->direct = d->kind == FD_PLAIN && (flags & O_DIRECT);
	d->wish = set && !d->covert && d->kind != FD_PLAIN;
	errno = saved;
	return r;
}
