/* tcdrain, tcsetattr, tcsendbreak, tcflow: until what was written has gone out on the line, or its writer has let go of it.
 *
 * Nothing tells when, so a real thread waits in the kernel, if there is anything left to go out. */
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <termios.h>

#include "shim/libc/blocking.h"

/* A line that is empty, or no terminal: the call will not wait. */
static long drain_now(const struct blocking *b)
{
	int left = 0, fd = (int)b->args[0];
	if (real.ioctl(fd, TIOCOUTQ, (unsigned long)&left) == 0 && left > 0)
		return -EAGAIN;
	return real.tcdrain(fd) == 0 ? 0 : -errno;
}

static long drain(int fd, bool cancels)
{
	struct blocking b = {.attempt = drain_now,
			     .number = SYS_ioctl,
			     .args = {fd, TCSBRK, 1},
			     .restarts = true,
			     .cancels = cancels};
	return blocking_call(&b);
}

int patch_tcdrain(int fd)
{
	if (!patch_green())
		return real.tcdrain(fd);
	io_cancellation_point();
	int saved = errno;
	return (int)io_result(drain(fd, true), saved);
}
EXPORT(tcdrain);

/* The kernel's own wait finds nothing more to wait for. */
int patch_tcsetattr(int fd, int when, const struct termios *wanted)
{
	int saved = errno;
	long r = patch_green() && (when == TCSADRAIN || when == TCSAFLUSH) ? drain(fd, false) : 0;
	return r < 0 ? (int)io_result(r, saved) : real.tcsetattr(fd, when, wanted);
}
EXPORT(tcsetattr);

static long never_at_once(const struct blocking *b)
{
	return -EAGAIN;
}

/* A quarter of a second and more, where there is a line to break (tty_ioctl(2), TCSBRK). */
int patch_tcsendbreak(int fd, int duration)
{
	if (!patch_green() || duration != 0)
		return real.tcsendbreak(fd, duration);
	int saved = errno;
	struct blocking b = {.attempt = never_at_once, .number = SYS_ioctl, .args = {fd, TCSBRK, 0}, .restarts = true};
	return (int)io_result(blocking_call(&b), saved);
}
EXPORT(tcsendbreak);

/* TCIOFF and TCION send a character, after whoever is in the midst of a write to the line (drivers/tty/tty_io.c, tty_send_xchar). A process in the
 * background is stopped for it, which no thread of its can do for another (tty_ioctl(2), Job control). */
int patch_tcflow(int fd, int action)
{
	int saved = errno;
	pid_t front = patch_green() ? tcgetpgrp(fd) : -1; /* it fails where this is not the process's own terminal */
	errno = saved;
	if (!patch_green() || (action != TCIOFF && action != TCION) || (front >= 0 && front != getpgrp()))
		return real.tcflow(fd, action);
	struct blocking b = {
		.attempt = never_at_once, .number = SYS_ioctl, .args = {fd, TCXONC, action}, .restarts = true};
	return (int)io_result(blocking_call(&b), saved);
}
EXPORT(tcflow);
