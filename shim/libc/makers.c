/* Makers of descriptors of which nothing is to be known but that they are new: epoll sets, timers, signals, watches of files, memory, terminals. What is known
 * of the number is about a file that somebody closed past all wrappers. */
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>

#include "shim/libc/close.h"

static int made(int fd)
{
	if (unlikely(patch_started) && fd >= 0)
		fd_begins(fd);
	return fd;
}

int patch_epoll_create(int size)
{
	return made(real.epoll_create(size));
}
EXPORT(epoll_create);

int patch_epoll_create1(int flags)
{
	return made(real.epoll_create1(flags));
}
EXPORT(epoll_create1);

int patch_inotify_init(void)
{
	return made(real.inotify_init());
}
EXPORT(inotify_init);

int patch_inotify_init1(int flags)
{
	return made(real.inotify_init1(flags));
}
EXPORT(inotify_init1);

int patch_memfd_create(const char *name, unsigned flags)
{
	return made(real.memfd_create(name, flags));
}
EXPORT(memfd_create);

int patch_posix_openpt(int flags)
{
	return made(real.posix_openpt(flags));
}
EXPORT(posix_openpt);

/* Of one that is there it changes the signals. */
int patch_signalfd(int fd, const sigset_t *which, int flags)
{
	int r = real.signalfd(fd, which, flags);
	return fd == -1 ? made(r) : r;
}
EXPORT(signalfd);

int patch_timerfd_create(clockid_t clock, int flags)
{
	return made(real.timerfd_create(clock, flags));
}
EXPORT(timerfd_create);
