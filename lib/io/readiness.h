/* readiness.h: one record per descriptor and direction, with a FIFO of those who wait for it.
 *
 * The libev watcher of a side stays started while the descriptor is in use, and is stopped lazily, when an event finds nobody waiting: a
 * request-response connection then costs no epoll_ctl at all. Invariants: waiters on a side => its watcher is started; a record whose number
 * is closed has no started watcher and no waiter. Contracts: gev/embed.h, fd_*. */
#ifndef GEV_IO_READINESS_H
#define GEV_IO_READINESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gev/embed.h"

/* Greenlets only. */
int gev__fd_wait(int fd, int events, int64_t deadline, unsigned flags);
int gev__fds_wait(const struct gev_fd_want *want, size_t n, int64_t deadline, unsigned flags);
int gev__fd_poll(int fd, int mask, int64_t deadline, unsigned flags);

/* For observers, on any OS thread, while g's hub exists: for how many descriptors g waits. One: *fd and its *way, GEV_READABLE or GEV_WRITABLE;
 * or, as for more, *want is where they are listed, on memory that may be gone when it is read. */
int gev__fd_waiting(const struct gev_greenlet *g, int *fd, int *way, const struct gev_fd_want **want);

/* After a read of a stream socket: whether it took all there was, so that the next one had better wait than try. */
void gev__fd_note_read(int fd, bool took_all);
bool gev__fd_drained(int fd);
/* After an accept: the connection is a socket of the listener's type (accept(2)), and need not be asked. */
void gev__fd_note_accepted(int listener, int fd);
/* Before a read that may wait: where the last one took all, waits until there is more. 0: try. */
int gev__fd_await_more(int fd, int64_t deadline);

/* Around the real close; any thread. Contracts: gev/embed.h. */
void gev__fd_closing(int fd);
void gev__fds_closing(unsigned first, unsigned last);
void gev__fd_closed(int fd);
void gev__fds_closed(unsigned first, unsigned last);

#endif
