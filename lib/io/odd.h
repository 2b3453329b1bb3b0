/* odd.h: waiting for what libev cannot say, on one descriptor.
 *
 * poll(2) knows more than reading and writing: POLLPRI, POLLRDHUP. Programs ask so all the time (a data base server polls each connection for
 * POLLIN | POLLPRI), so such a wait costs one epoll_ctl: each hub keeps a second epoll set for them, which libev watches.
 *
 *     libev's set ──> the odd set ──> descriptor, its mask, one-shot
 *
 * Invariants: an odd waiter on a record => its descriptor is armed in the set, with at least his mask; who is told leaves the list, so a record
 * that is not armed has none. */
#ifndef GEV_IO_ODD_H
#define GEV_IO_ODD_H

#include <stdint.h>

#include "lib/io/record.h"

/* Arms fd, for one who is already on its record's list of others. 0; 1: it is ready as it is, because it never blocks or is not open; -ENOMEM,
 * -EMFILE, -ELOOP and the like. */
int gev__odd_arm(struct table *t, int fd, uint32_t mask);

/* That number is being closed. Any thread. */
void gev__odd_close(const struct table *t, int fd);

/* The hub ends, or is a forked child's. */
void gev__odd_end(struct table *t);

/* The set has something to say. The hub's thread. */
void gev__odd_heard(struct table *t);

#endif
