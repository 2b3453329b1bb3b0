/* tcdrain, tcsetattr, tcsendbreak, tcflow, and what ioctl asks of terminals besides (ioctl_tty(2)): until what was written has gone out on the line, or
 * its writer has let go of it.
 *
 * Nothing tells when, so a real thread waits in the kernel, if there is anything left to go out. A process in the background is stopped for
 * most of these, which no thread of its can do for another (Job control): there the caller's own call is made. */
#include "shim/libc/terminal.h"

#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <termios.h>

#include "shim/libc/blocking.h"

/* Whether a thread may wait for it. */
static bool in_front(int fd)
{
	int saved = errno;
	pid_t front = tcgetpgrp(fd); /* it fails where this is not the process's own terminal */
	errno = saved;
	return front < 0 || front == getpgrp();
}

/* A line that is empty, or no terminal: the call will not wait. */
static long drain_now(const struct blocking *b)
{
	int left = 0, fd = (int)b->args[0];
	if (real.ioctl(fd, TIOCOUTQ, (unsigned long)&left) == 0 && left > 0 && in_front(fd))
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

static int by_thread(int fd, unsigned long request, unsigned long arg)
{
	int saved = errno;
	struct blocking b = {.attempt = never_at_once,
			     .number = SYS_ioctl,
			     .args = {fd, (long)request, (long)arg},
			     .restarts = true};
	return (int)io_result(blocking_call(&b), saved);
}

/* A quarter of a second and more, where there is a line to break. libc says it in tenths (sysdeps/unix/sysv/linux/tcsendbrk.c). */
int patch_tcsendbreak(int fd, int duration)
{
	if (!patch_green() || !in_front(fd))
		return real.tcsendbreak(fd, duration);
	return duration <= 0 ? by_thread(fd, TCSBRK, 0) : by_thread(fd, TCSBRKP, ((unsigned long)duration + 99) / 100);
}
EXPORT(tcsendbreak);

/* TCIOFF and TCION send a character, after whoever is in the midst of a write to the line (drivers/tty/tty_io.c, tty_send_xchar). */
int patch_tcflow(int fd, int action)
{
	if (!patch_green() || (action != TCIOFF && action != TCION) || !in_front(fd))
		return real.tcflow(fd, action);
	return by_thread(fd, TCXONC, (unsigned long)action);
}
EXPORT(tcflow);

/* Of other devices' requests some have the same numbers. */
static bool is_terminal(int fd)
{
	struct termios t;
	int saved = errno;
	bool is = real.ioctl(fd, TCGETS, (unsigned long)&t) == 0;
	errno = saved;
	return is;
}

int terminal_request(int fd, unsigned long request, unsigned long arg)
{
	if (!patch_green() || !is_terminal(fd) || !in_front(fd))
		return real.ioctl(fd, request, arg);
	int saved = errno;
	long r;
	switch (request) {
	case TCSBRK:
	case TCSBRKP:
	case TIOCSETD: /* it waits for those who read, too (drivers/tty/tty_ldisc.c) */
	case TIOCMIWAIT:
		if (request == TCSBRK && arg)
			return (int)io_result(drain(fd, false), saved);
		return by_thread(fd, request, arg);
	case TCXONC:
		if (arg == TCIOFF || arg == TCION)
			return by_thread(fd, request, arg);
		break;
	default: /* those that set something when the line is empty */
		r = drain(fd, false);
		if (r < 0)
			return (int)io_result(r, saved);
	}
	return real.ioctl(fd, request, arg);
}
