/* gev/offload.h: running what blocks the OS thread elsewhere, on a real thread.
 *
 * For calls that nothing can make cooperative: files, libraries with their own waiting, long computations. The threads are few (GEV_OFFLOAD_THREADS),
 * are made when they are needed, end when they have been idle for a while, and block every signal. What runs there is not a greenlet of the
 * caller's hub: it must not touch what only that hub's thread may touch. A forked child has none of them; what they did does not go on there. */
#ifndef GEV_OFFLOAD_H
#define GEV_OFFLOAD_H

#include <gev/base.h>

GEV_BEGIN

/* Runs fn(arg) on a real thread and waits for its end; *value (if not NULL) receives what it returned, and errno what it left there.
 * Blocks the greenlet. `timeout` seconds are for the wait until a thread is free. Once fn runs, the call returns when fn has: no timeout and no kill
 * ends it earlier, so that `arg` may lie on the caller's stack; a kill that comes meanwhile is told by the next call that blocks.
 * On an OS thread without a hub, fn is simply called. 0; -1 and, fn not run: ETIMEDOUT, ECANCELED (killed), EAGAIN (no thread can be
 * made, and none runs), EINVAL (fn is NULL, NaN). Any thread. Source: gevent.threadpool.apply. */
GEV_API int gev_offload(void *(*fn)(void *arg), void *arg, double timeout, void **value);

/* The same, but `timeout` and kills end the wait at any time, and fn, if it runs already, goes on without the caller. `arg` belongs to the call: when
 * nobody will use it any more, drop(arg, value) is called, with `value` NULL if fn did not run or its value was given to the caller. That
 * happens once, always: before the call returns, or else on the thread when fn has ended. drop may be NULL. errno as above, ENOMEM. */
GEV_API int gev_offload_apart(void *(*fn)(void *arg), void *arg, void (*drop)(void *arg, void *value), double timeout,
			      void **value);

GEV_END

#endif
