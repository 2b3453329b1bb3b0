/* terminal.h: what ioctl asks of terminals that may take its time. */
#ifndef SHIM_LIBC_TERMINAL_H
#define SHIM_LIBC_TERMINAL_H

#include <stdbool.h>
#include <sys/ioctl.h>

/* asm/termbits.h has them with its own struct termios, which is not libc's. */
enum {
	TERMINAL_SET_DRAINED = 0x402c542c, /* TCSETSW2: _IOW('T', 0x2c, struct termios2) */
	TERMINAL_SET_FLUSHED = 0x402c542d, /* TCSETSF2 */
};

/* Whether request is one of those (ioctl_tty(2)). */
static inline bool terminal_may_wait(unsigned long request)
{
	switch (request) {
	case TCSETSW:
	case TCSETSF:
	case TCSETAW:
	case TCSETAF:
	case TERMINAL_SET_DRAINED:
	case TERMINAL_SET_FLUSHED:
	case TIOCSBRK:
	case TCSBRK:
	case TCSBRKP:
	case TCXONC:
	case TIOCSETD:
	case TIOCMIWAIT:
		return true;
	default:
		return false;
	}
}

/* ioctl with such a request. */
int terminal_request(int fd, unsigned long request, unsigned long arg);

#endif
