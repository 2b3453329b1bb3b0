/* A FIFO's open waits for the other end (fifo(7)), and no descriptor exists yet that could be waited for: so timed
 * retries.
 *
 * Writing end: with O_NONBLOCK the open fails with ENXIO until there is a reader. Reading end: the open succeeds at
 * once, and lets writers in; whether one has come is told by tee(2), which copies without taking away and answers 0
 * only while there is no writer. */
#include <fcntl.h>
#include <sys/stat.h>

#include "shim/libc/fifo.h"
#include "shim/libc/wait.h"

bool fifo_would_wait(int dir, const char *path, int flags)
{
	struct stat st;
	if ((flags & (O_NONBLOCK | O_PATH | O_DIRECTORY)) || (flags & O_ACCMODE) == O_RDWR || path == NULL)
		return false;
	int saved = errno;
	bool fifo = fstatat(dir, path, &st, 0) == 0 && S_ISFIFO(st.st_mode);
	errno = saved;
	return fifo;
}

/* Has a writer come, even if it has gone again? */
static bool has_writer(int fd, int scratch)
{
	/* POLLHUP on a FIFO means: there was a writer since this end was opened (fs/pipe.c, pipe_poll). */
	struct pollfd p = {.fd = fd, .events = POLLIN};
	return io_poll(&p, 1) > 0 || real.tee(fd, scratch, 1, SPLICE_F_NONBLOCK) != 0;
}

static int wait_writer(int fd, struct io_wait *wait)
{
	int scratch[2];
	if (real.pipe2(scratch, O_CLOEXEC) < 0)
		return -errno;
	int r = 0;
	while (r == 0 && !has_writer(fd, scratch[1]))
		r = io_backoff(wait);
	real.close(scratch[0]);
	real.close(scratch[1]);
	return r;
}

int fifo_open(int dir, const char *path, int flags)
{
	struct io_wait wait = {.timeout = GEV_NEVER};
	int fd, r = 0;
	while ((fd = real.openat(dir, path, flags | O_NONBLOCK, 0)) < 0) {
		r = errno == ENXIO ? io_backoff(&wait) : -errno;
		if (r < 0)
			return r;
	}
	if ((flags & O_ACCMODE) == O_RDONLY)
		r = wait_writer(fd, &wait);
	if (r < 0) {
		real.close(fd);
		return r;
	}
	/* The description is new and ours alone. */
	real.fcntl(fd, F_SETFL, (unsigned long)(flags & ~O_NONBLOCK));
	return fd;
}
