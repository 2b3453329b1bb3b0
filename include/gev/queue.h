/* gev/queue.h: queues: pointers go from those who put to those who get, first come first served on both sides.
 *
 * A bounded queue makes who puts wait while it is full; an unbounded one never; a queue of none at all is a channel, on which the two sides meet. Where
 * somebody waits already, an item goes straight to him. Every function may be called by any greenlet of any hub, and by any OS thread, with or without a hub (then
 * the thread is what waits); from a link (gev/link.h) too, as long as it would not have to wait. An item is a pointer, NULL if one likes: what it leads to is never
 * touched, and belongs to whoever has it: the one who put it if his call fails, then the queue, which does nothing with it, then the one who got it. A wait
 * that is broken off has neither put nor got anything.
 *
 * errno of the calls that wait: ETIMEDOUT: `timeout` seconds, or those of a gev_timeout around it, passed first (zero or less: it would have had to wait); ECANCELED: the caller was
 * killed; EINVAL: NaN; EDEADLK: see gev/gev.h; EPERM: called by a link, and it would have had to wait. EINTR never. In a forked child nobody waits any more; what
 * is in a queue is there still, unless another OS thread was using the queue at the moment of the fork, after which the child must not. Source: gevent.queue. */
#ifndef GEV_QUEUE_H
#define GEV_QUEUE_H

#include <stdbool.h>
#include <stddef.h>

#include <gev/base.h>

GEV_BEGIN

struct gev_queue;

#define GEV_QUEUE_UNBOUNDED ((size_t)-1)

/* A queue that holds at most that many items; 0: a channel, where put waits for get and get for put. The caller's, to be given to gev_queue_free. Does not
 * block. NULL and ENOMEM. Source: gevent.queue.Queue(maxsize), of which None is GEV_QUEUE_UNBOUNDED here, and gevent.queue.Channel. */
GEV_API struct gev_queue *gev_queue_new(size_t most);

/* Gives it back. Nobody may wait on it, or use it later; but whoever has got the last item, or was told that it is closed, or that all is done, may free it at once, though the
 * call that served him has not returned yet. Items left in it are forgotten: who cares for them gets them first. NULL is allowed. Does not block. */
GEV_API void gev_queue_free(struct gev_queue *q);

/* Puts an item in at the end, or hands it to the longest waiter. Blocks the greenlet for at most `timeout` seconds while the queue is full; on a channel until somebody has got the item. 0; -1
 * and the errors above; EPIPE: closed, before or meanwhile; ENOMEM. Source: gevent.queue.Queue.put. */
GEV_API int gev_queue_put(struct gev_queue *q, void *item, double timeout);

/* Takes the first item out, into *item. Blocks the greenlet for at most `timeout` seconds while there is none. 0; -1 and the errors above; EPIPE: closed,
 * and nothing is left. *item is written only with 0. Source: gevent.queue.Queue.get. */
GEV_API int gev_queue_get(struct gev_queue *q, void **item, double timeout);

/* The first item, which stays in the queue: another may get it at any time. Blocks and fails as gev_queue_get; EINVAL also for a channel, which holds
 * none. Source: gevent.queue.Queue.peek. */
GEV_API int gev_queue_peek(struct gev_queue *q, void **item, double timeout);

/* From now on nothing can be put: those who wait to, and all later ones, get EPIPE. What is in the queue can still be got, and then get says EPIPE; those who wait
 * to get are told at once. A second time does nothing. Does not block. Source: gevent.queue.Queue.shutdown. */
GEV_API void gev_queue_close(struct gev_queue *q);

/* How many items are in it, whether none is, and whether as many as it holds: as it was a moment ago, where several OS threads use it. A channel is always
 * empty, and always full. Do not block, do not touch errno. Source: gevent.queue.Queue.qsize, empty and full. */
GEV_API size_t gev_queue_size(const struct gev_queue *q);
GEV_API bool gev_queue_is_empty(const struct gev_queue *q);
GEV_API bool gev_queue_is_full(const struct gev_queue *q);

/* The work that one of the items got stood for is done. Does not block. 0; -1 and EINVAL: more often than items were put. Source:
 * gevent.queue.JoinableQueue.task_done. */
GEV_API int gev_queue_task_done(struct gev_queue *q);

/* Waits until gev_queue_task_done has been called for every item ever put. Blocks the greenlet for at most `timeout` seconds. 0; -1 and the errors
 * above. Source: gevent.queue.JoinableQueue.join. */
GEV_API int gev_queue_join(struct gev_queue *q, double timeout);

GEV_END

#endif
