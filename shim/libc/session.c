/* daemon, login_tty, forkpty: as libc does them, by calls that tell what becomes of descriptors 0, 1 and 2. libc's own replace them inside libc,
 * unseen. */
#include <fcntl.h>
#include <paths.h>
#include <pty.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "shim/libc/close.h"

static bool replace_standard(int fd)
{
	for (int to = 0; to <= 2; to++)
		while (patch_dup2(fd, to) < 0)
			if (errno != EBUSY) /* another thread opens that number just now (dup2(2)) */
				return false;
	return true;
}

/* login/login_tty.c: what cannot be replaced stays. */
int patch_login_tty(int fd)
{
	if (!patch_started)
		return real.login_tty(fd);
	setsid();
	if (real.ioctl(fd, TIOCSCTTY, 0) < 0)
		return -1;
	replace_standard(fd);
	if (fd > 2)
		patch_close(fd);
	return 0;
}
EXPORT(login_tty);

/* login/forkpty.c */
int patch_forkpty(int *master, char *name, const struct termios *settings, const struct winsize *size)
{
	int ends[2];
	if (!patch_started)
		return real.forkpty(master, name, settings, size);
	if (openpty(&ends[0], &ends[1], name, settings, size) < 0)
		return -1;
	pid_t pid = fork();
	if (pid == 0) {
		patch_close(ends[0]);
		if (patch_login_tty(ends[1]) < 0)
			_exit(1);
		return 0;
	}
	if (pid < 0)
		patch_close(ends[0]);
	else
		*master = ends[0];
	int saved = errno;
	patch_close(ends[1]);
	errno = saved;
	return pid;
}
EXPORT(forkpty);

/* Whether it is what it is called, and not what somebody has put there. */
static bool is_null_device(int fd)
{
	struct stat st;
	if (fstat(fd, &st) < 0)
		return false;
	if (S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3))
		return true;
	errno = ENODEV;
	return false;
}

static int to_null_device(void)
{
	int fd = patch_open(_PATH_DEVNULL, O_RDWR, 0);
	if (fd < 0)
		return -1;
	bool done = is_null_device(fd) && replace_standard(fd);
	int saved = errno;
	if (fd > 2 || !done)
		patch_close(fd);
	errno = saved;
	return done ? 0 : -1;
}

/* misc/daemon.c */
int patch_daemon(int stays, int keeps)
{
	if (!patch_started)
		return real.daemon(stays, keeps);
	pid_t pid = fork();
	if (pid < 0)
		return -1;
	if (pid > 0)
		_exit(0);
	if (setsid() < 0)
		return -1;
	if (!stays && chdir("/") < 0) {
		/* libc's own goes on too. */
	}
	return keeps ? 0 : to_null_device();
}
EXPORT(daemon);
