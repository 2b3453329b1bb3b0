/* What a call does when the kernel says "not now". */
#include "lib/io/operation.h"

#include <stdbool.h>

#include "lib/base/sys.h"
#include "lib/io/readiness.h"

/* Waits after which the call still says "not now" although poll says "ready": with three of them it is not a crowd on one descriptor, but readiness that
 * the call denies. An unconnected Unix datagram socket is writable, whatever the queue of the peer (unix_dgram_poll). */
enum { VAIN_MOST = 3 };

static bool claims_ready(int fd, int events)
{
	struct pollfd now = {
		.fd = fd,
		.events = (short)((events & GEV_READABLE ? POLLIN : 0) | (events & GEV_WRITABLE ? POLLOUT : 0)),
	};
	return gev__sys.poll(&now, 1, 0) > 0;
}

int gev__operation_nap(struct gev__operation *op)
{
	enum { DOUBLINGS = 7 };
	unsigned naps = op->vain++;
	int64_t now = gev__now(), until = now + (INT64_C(50000) << (naps < DOUBLINGS ? naps : DOUBLINGS));
	if (now >= op->deadline)
		return -ETIMEDOUT;
	return gev__sleep_until(until < op->deadline ? until : op->deadline, GEV_PARK_KILLABLE);
}

int gev__operation_wait(struct gev__operation *op, int events)
{
	if (op->deadline == 0)
		return -ETIMEDOUT;
	if (op->vain >= VAIN_MOST && claims_ready(op->fd, events))
		return gev__operation_nap(op);
	op->vain++;
	int r = gev__fd_wait(op->fd, events, op->deadline, GEV_PARK_KILLABLE | GEV_FD_OPEN);
	return r < 0 ? r : 0;
}
