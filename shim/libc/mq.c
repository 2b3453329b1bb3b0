/* POSIX message queues. On Linux a queue is a descriptor that can be polled, and a deadline that has passed makes a
 * call that does not wait (mq_overview(7)). */
#include <mqueue.h>

#include "shim/libc/close.h"
#include "shim/libc/poll.h"
#include "shim/pthread/until.h"
#include "shim/signal/signals.h"

struct mq_call {
	mqd_t queue;
	int way;
	char *to;
	const char *from;
	size_t size;
	unsigned *priority_out;
	unsigned priority;
	const struct timespec *until;
};

/* Of a queue that must not wait it is EAGAIN, else ETIMEDOUT that says so. */
static ssize_t attempt(const struct mq_call *c)
{
	static const struct timespec passed;
	ssize_t r = c->way == GEV_READABLE ? real.mq_timedreceive(c->queue, c->to, c->size, c->priority_out, &passed)
					   : real.mq_timedsend(c->queue, c->from, c->size, c->priority, &passed);
	return r >= 0 ? r : -errno;
}

static ssize_t run(const struct mq_call *c)
{
	io_cancellation_point();
	int64_t deadline = patch_until(CLOCK_REALTIME, c->until);
	ssize_t r;
	while ((r = attempt(c)) == -ETIMEDOUT) {
		if (c->until && patch_reached(CLOCK_REALTIME, c->until))
			return r;
		int w = patch_gev->fd_wait(c->queue, c->way, deadline, GEV_PARK_KILLABLE | GEV_PARK_INTERRUPTIBLE);
		if (w == -EINTR) {
			/* A message that is there comes before a signal. */
			r = attempt(c);
			w = patch_interrupted(true);
			if (r != -ETIMEDOUT)
				return r;
		}
		if (w < 0 && w != -ETIMEDOUT)
			return w;
	}
	return r;
}

ssize_t patch_mq_timedreceive(mqd_t queue, char *to, size_t size, unsigned *priority, const struct timespec *until)
{
	if (!patch_green() || !poll_time_valid(until))
		return real.mq_timedreceive(queue, to, size, priority, until);
	int saved = errno;
	struct mq_call c = {
		.queue = queue, .way = GEV_READABLE, .to = to, .size = size, .priority_out = priority, .until = until};
	return io_result(run(&c), saved);
}
EXPORT(mq_timedreceive);

ssize_t patch_mq_receive(mqd_t queue, char *to, size_t size, unsigned *priority)
{
	return patch_mq_timedreceive(queue, to, size, priority, NULL);
}
EXPORT(mq_receive);

int patch_mq_timedsend(mqd_t queue, const char *from, size_t size, unsigned priority, const struct timespec *until)
{
	if (!patch_green() || !poll_time_valid(until))
		return real.mq_timedsend(queue, from, size, priority, until);
	int saved = errno;
	struct mq_call c = {
		.queue = queue, .way = GEV_WRITABLE, .from = from, .size = size, .priority = priority, .until = until};
	return (int)io_result(run(&c), saved);
}
EXPORT(mq_timedsend);

int patch_mq_send(mqd_t queue, const char *from, size_t size, unsigned priority)
{
	return patch_mq_timedsend(queue, from, size, priority, NULL);
}
EXPORT(mq_send);

int patch_mq_close(mqd_t queue)
{
	if (patch_started && patch_gev->fd_internal(queue)) {
		errno = EBADF;
		return -1;
	}
	fd_goes(queue);
	int r = real.mq_close(queue);
	fd_gone(queue);
	return r;
}
EXPORT(mq_close);
