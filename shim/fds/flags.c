/* O_NONBLOCK on a listening socket, which the program did not ask for and must not see.
 *
 * accept is the one call on sockets without MSG_DONTWAIT, and readiness is no promise: another process may take the
 * connection first. So O_NONBLOCK is set there, once. It lives on the open file description, which other processes
 * may share (fork, exec, SCM_RIGHTS) and other numbers too. So it is marked as ours on the description itself,
 * where all of them can read it: by F_SETSIG with a signal number that glibc keeps for itself and that no program
 * can therefore have chosen. F_SETSIG has no effect without O_ASYNC (fcntl(2)); should the program ask for O_ASYNC or for a signal,
 * mark and O_NONBLOCK are taken back first, and not set while it does.
 *
 * A program that is not patched knows no marks. Before it inherits such a socket by exec, or is sent one by SCM_RIGHTS, the O_NONBLOCK is taken back,
 * and another mark says so to all who share it: from then on they do without. (To whom SCM_RIGHTS takes it nobody knows.) Not
 * seen is what a process without threads sends of what it has inherited with the mark. */
#include <errno.h>
#include <sys/ioctl.h>

#include "shim/base/patch.h"
#include "shim/fds/fds.h"

/* SIGSETXID and SIGCANCEL of glibc (sysdeps/unix/sysv/linux/internal-signals.h). A program that is not patched may have it now: hands off. */
enum { MARK = 33, GIVEN = 32 };

bool fds_exposed;

static bool has_mark(int fd, int mark)
{
	int saved = errno;
	bool has = real.fcntl(fd, F_GETSIG, 0) == mark;
	errno = saved;
	return has;
}

bool fds_marked(int fd)
{
	return has_mark(fd, MARK);
}

bool fds_given(int fd)
{
	return has_mark(fd, GIVEN);
}

void fds_give(int fd)
{
	int off = 0;
	fds_exposed = true;
	real.ioctl(fd, FIONBIO, (unsigned long)&off);
	real.fcntl(fd, F_SETSIG, GIVEN);
}

void fds_take_again(int fd)
{
	int on = 1;
	real.fcntl(fd, F_SETSIG, MARK);
	real.ioctl(fd, FIONBIO, (unsigned long)&on);
}

void fds_bare(int fd)
{
	int saved = errno, off = 0;
	if (fds_marked(fd)) {
		real.ioctl(fd, FIONBIO, (unsigned long)&off);
		real.fcntl(fd, F_SETSIG, 0);
		fds_exposed = true;
	}
	errno = saved;
}

void fds_give_away(int fd)
{
	int saved = errno;
	if (fds_marked(fd))
		fds_give(fd);
	errno = saved;
}

bool fds_still_covered(int fd)
{
	int saved = errno, mark = real.fcntl(fd, F_GETSIG, 0);
	bool still = mark == MARK || (mark == 0 && (real.fcntl(fd, F_GETFL, 0) & O_NONBLOCK));
	errno = saved;
	return still;
}

int fds_cover(int fd, struct description *d)
{
	int saved = errno, on = 1, r = 0, mark = real.fcntl(fd, F_GETSIG, 0);
	/* Where the program has signals sent, a mark would change them. */
	if ((mark != 0 && mark != MARK) || real.fcntl(fd, F_GETFL, 0) & O_ASYNC) {
		errno = saved;
		return -EPERM;
	}
	/* The mark first: whoever sees O_NONBLOCK must find it. */
	if (mark == 0)
		real.fcntl(fd, F_SETSIG, MARK);
	if (real.ioctl(fd, FIONBIO, (unsigned long)&on) < 0)
		r = -errno;
	else
		d->covert = true;
	errno = saved;
	return r;
}

void fds_uncover(int fd, struct description *d)
{
	int saved = errno;
	if (fds_marked(fd))
		real.fcntl(fd, F_SETSIG, 0);
	d->covert = false;
	errno = saved;
}
