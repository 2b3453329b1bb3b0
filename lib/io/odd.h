/* odd.h: waiting for what libev cannot say, on one descriptor.
 *
 * poll(2) knows more than reading and writing: POLLPRI, POLLRDHUP. Programs ask so all the time (a data base server polls each connection for
 * POLLIN | POLLPRI), so each hub keeps a second epoll set for them, which libev watches.
 *
 *     libev's set ──> the odd set ──> descriptor, its mask
 *
 * As with libev's, a descriptor stays in the set while it is in use, and leaves it lazily, when a second event in a row finds nobody who asked for it: so a
 * wait costs no epoll_ctl. And what the set says of a descriptor is what poll(2) would say of it, bit for bit, so it need not be asked again.
 *
 * Invariant: an odd waiter on a record => its descriptor is in the set, with at least his mask. */
#ifndef GEV_IO_ODD_H
#define GEV_IO_ODD_H

#include <stdint.h>

#include "lib/io/record.h"

/* Sees to it that fd is in the set with that mask, for one who is already on its record's list of others. 0; 1: it is ready as it is, because it never blocks or is not open; -ENOMEM,
 * -EMFILE, -ELOOP and the like. */
int gev__odd_arm(struct table *t, int fd, uint32_t mask);

/* That number is being closed. Any thread. */
void gev__odd_close(const struct table *t, int fd);

/* The hub ends, or is a forked child's. */
void gev__odd_end(struct table *t);

/* The set has something to say. The hub's thread. */
void gev__odd_heard(struct table *t);

#endif
