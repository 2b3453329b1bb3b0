/* flock, lockf, and fcntl's F_SETLKW and F_OFD_SETLKW: locks on files, which other processes may hold.
 *
 * A record lock belongs to the process, the others to the open file description, so whichever thread waits for one gets it
 * for all; the kernel keeps its queue, and finds its deadlocks. An attempt without waiting changes what a waiting call
 * would have changed before its wait (a converted flock is given up first, flock(2)). */
#include "shim/libc/lock.h"

#include <sys/file.h>
#include <sys/syscall.h>

#include "shim/libc/blocking.h"

static long try_flock(const struct blocking *b)
{
	return real.flock((int)b->args[0], (int)b->args[1] | LOCK_NB) == 0 ? 0 : -errno;
}

int patch_flock(int fd, int operation)
{
	if (!patch_green() || (operation & (LOCK_NB | LOCK_UN)))
		return real.flock(fd, operation);
	int saved = errno;
	struct blocking b = {.attempt = try_flock, .number = SYS_flock, .args = {fd, operation}, .restarts = true};
	return (int)io_result(blocking_call(&b), saved);
}
EXPORT(flock);

static long try_record(const struct blocking *b)
{
	int command = b->args[1] == F_SETLKW ? F_SETLK : F_OFD_SETLK;
	if (real.fcntl((int)b->args[0], command, (unsigned long)b->args[2]) == 0)
		return 0;
	return errno == EACCES ? -EAGAIN : -errno; /* POSIX allows both */
}

int lock_record(int fd, int command, unsigned long lock)
{
	if (!patch_green())
		return real.fcntl(fd, command, lock);
	io_cancellation_point();
	int saved = errno;
	struct blocking b = {.attempt = try_record,
			     .number = SYS_fcntl,
			     .args = {fd, command, (long)lock},
			     .restarts = true,
			     .cancels = true};
	return (int)io_result(blocking_call(&b), saved);
}

int patch_lockf(int fd, int command, off_t size)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_CUR, .l_len = size};
	if (command != F_LOCK)
		return real.lockf(fd, command, size);
	return lock_record(fd, F_SETLKW, (unsigned long)&lock);
}
EXPORT(lockf);
EXPORT_AS(lockf64, lockf);
