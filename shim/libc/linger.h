/* linger.h: closing a socket that waits until its peer has what was sent (SO_LINGER with a time, socket(7)). */
#ifndef SHIM_LIBC_LINGER_H
#define SHIM_LIBC_LINGER_H

#include <stddef.h>
#include <sys/socket.h>

#include "shim/libc/close.h"

/* Of all closers: nothing has to be asked while fds_lingering is false. errno is kept. */

/* Before fd is closed or replaced. If that may wait, a copy of it comes to lie in *held, so that it does not; else held->fd is -1. */
void linger_begin(struct own_fd *held, int fd);
/* Afterwards, with what linger_begin has left: waits, while the others go on, as close would have. A handler ends it (tcp_close), and so does a
 * cancellation if it cancels; neither undoes the close. */
void linger_end(struct own_fd *held, bool cancels);

/* The same of all numbers in [first, last]. */
struct linger_many {
	struct own_fd *held;
	size_t n;
};
void linger_begin_many(struct linger_many *many, unsigned first, unsigned last);
void linger_end_many(struct linger_many *many);

/* Whether fd is such a copy, which the program must not reach; the lowest in [first, last], -1: none. */
bool linger_holds(int fd);
int linger_next_held(unsigned first, unsigned last);

/* The program has set SO_LINGER; d is NULL before there is a runtime. */
void linger_wished(struct description *d, const struct linger *wish);
/* In a forked child: the copies of its parent's threads are nobody's. */
void linger_forked(void);

#endif
