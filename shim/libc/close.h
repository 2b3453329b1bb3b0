/* close.h: what every call that ends or begins a descriptor number says. */
#ifndef SHIM_LIBC_CLOSE_H
#define SHIM_LIBC_CLOSE_H

#include "shim/base/patch.h"
#include "shim/fds/fds.h"

/* fd is about to be closed or replaced. errno is kept. fd_gone of the same number must follow, done or failed. */
void fd_goes(int fd);
void fd_gone(int fd);
/* fd is a new number. What is still known of it was about a file that somebody closed past all wrappers. errno is kept. */
static inline void fd_begins(int fd)
{
	if (unlikely(fds_peek(fd) != NULL)) {
		fd_goes(fd);
		fd_gone(fd);
	}
}
/* close, once there is a runtime; no cancellation point. */
int fd_close(int fd);
/* `to` now stands for what `from` stands for. errno is kept. */
void fd_dupped(int from, int to);

/* A descriptor that a wait of ours needs: it lies where the program's are not. A program that closes all numbers, known
 * to it or not, may close it too, and be given the number again: the wait then ends with -EBADF, and own_close leaves
 * alone what is not ours any more. */
struct own_fd {
	int fd; /* -1: none */
	const struct description *about;
	uint32_t life;
};
enum { OWN_FD_FIRST = 1024 };
/* *own becomes fd, which was just made; `low`: among the program's, so it is moved. fd < 0: -1. Returns own->fd. */
int own_take(struct own_fd *own, int fd, bool low);
/* errno is kept. */
void own_close(struct own_fd *own);

#endif
