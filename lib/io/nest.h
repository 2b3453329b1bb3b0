/* nest.h: poll masks that libev cannot say.
 *
 * libev knows reading and writing only. The odd masks of poll(2) go into a private epoll set, which becomes readable when one of them is met. */
#ifndef GEV_IO_NEST_H
#define GEV_IO_NEST_H

#include <stddef.h>

#include "gev/embed.h"

/* Puts those of the n that have poll_events into a new set, *nest; -1 there if none has. How many are ready as it is, because they never block or
 * are not open; -errno, and *nest may have to be closed all the same. */
int gev__nest_odd(const struct gev_fd_want *want, size_t n, int *nest);

#endif
