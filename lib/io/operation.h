/* operation.h: one blocking call of the public API: its descriptor, its one deadline, and what it does when the kernel says "not now". */
#ifndef GEV_IO_OPERATION_H
#define GEV_IO_OPERATION_H

#include <errno.h>
#include <stdint.h>

#include "gev/embed.h"
#include "lib/base/clock.h"
#include "lib/core/hub.h"
#include "lib/core/park.h"

struct gev__operation {
	int fd;
	unsigned vain; /* waits in a row after which the call did not get on */
	int64_t deadline;
};

/* -ECANCELED, -EINVAL, -ENOMEM. */
static inline int gev__operation_begin(struct gev__operation *op, int fd, double timeout)
{
	op->fd = fd;
	op->vain = 0;
	op->deadline = 0;
	const struct gev_greenlet *g = gev__self();
	int r = gev__kill_point_of(g);
	if (r == 0)
		r = gev__deadline(timeout, &op->deadline);
	if (unlikely(g == NULL) && r == 0)
		gev__hub_get(&r);
	return r;
}

/* Waits until fd seems ready. 0: try again. A deadline of 0 never waits. */
int gev__operation_wait(struct gev__operation *op, int events);
/* The same where nothing tells when it is ready: a while, longer each time. */
int gev__operation_nap(struct gev__operation *op);

/* After a call that failed with errno: 0 to try again, or the error. */
static inline int gev__operation_again(struct gev__operation *op, int events)
{
	if (errno == EINTR)
		return 0;
	if (errno != EAGAIN && errno != EWOULDBLOCK)
		return -errno;
	return gev__operation_wait(op, events);
}

#endif
