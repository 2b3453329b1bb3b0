/* Reading a terminal in noncanonical mode with a MIN other than 1, or with a TIME (termios(3), Canonical and noncanonical mode).
 *
 * When such a read is over depends on how many bytes are there and on the time between two of them, of which poll tells nothing. So it is made at once where
 * that is certain, and by a real thread in the kernel else. */
#include "shim/libc/uncooked.h"

#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <termios.h>

#include "shim/libc/blocking.h"

bool uncooked(int fd, struct uncooked *how)
{
	struct termios t;
	unsigned number;
	if (real.ioctl(fd, TCGETS, (unsigned long)&t) < 0 || (t.c_lflag & ICANON) ||
	    (t.c_cc[VMIN] == 1 && t.c_cc[VTIME] == 0))
		return false;
	*how = (struct uncooked){t.c_cc[VMIN], t.c_cc[VTIME]};
	/* The other end of a pseudoterminal answers with the terminal's settings, and is read byte by byte (drivers/tty/pty.c). */
	return real.ioctl(fd, TIOCGPTN, (unsigned long)&number) < 0;
}

static long read_now(const struct blocking *b)
{
	int fd = (int)b->args[0], queued = 0;
	long least = b->args[3];
	/* poll has what the line has brought counted (drivers/tty/n_tty.c, n_tty_poll). */
	(void)io_ready(fd, GEV_READABLE);
	if (least > 0 && real.ioctl(fd, FIONREAD, (unsigned long)&queued) == 0 && queued < least)
		return -EAGAIN;
	ssize_t r = real.readv(fd, (const struct iovec *)b->args[1], (int)b->args[2]);
	return r < 0 ? -errno : r;
}

ssize_t uncooked_read(int fd, const struct iovec *v, int n, size_t size, const struct uncooked *how)
{
	size_t least = how->least < size ? how->least : size;
	if (least == 0 && how->time > 0)
		least = 1;
	/* The kernel does not look at the last. */
	struct blocking b = {.attempt = read_now,
			     .number = SYS_readv,
			     .args = {fd, (long)v, n, (long)least},
			     .restarts = true,
			     .cancels = true};
	return blocking_call(&b);
}
