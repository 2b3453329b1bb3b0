/* gev/gev.h: all of libgev. Each header stands alone; this one includes them.
 *
 * Conventions of the whole API: failure is -1 or NULL with errno set last. Times are seconds (double): GEV_FOREVER waits without end, zero or
 * less does not wait, NaN is EINVAL. A call that says "blocks the greenlet" lets the other greenlets of this OS thread run. Unless
 * it says otherwise a function may be called from any OS thread that may run greenlets; the first call makes that thread's hub.
 *
 * Deadlock: where nothing can ever wake any greenlet, the call in which the process's first flow of control waits without end returns EDEADLK: no greenlet
 * is ready, sleeps or waits for a descriptor or for work given to a thread, and the process has no other OS thread. It says so whenever it waits again. A program under libpatch.so
 * hangs instead, as it would natively. Source: gevent.exceptions.LoopExit. */
#ifndef GEV_GEV_H
#define GEV_GEV_H

#include <gev/end.h>
#include <gev/greenlet.h>
#include <gev/io.h>
#include <gev/kill.h>
#include <gev/link.h>
#include <gev/local.h>
#include <gev/offload.h>
#include <gev/queue.h>
#include <gev/socket.h>
#include <gev/time.h>
#include <gev/timeout.h>
#include <gev/version.h>

#endif
