/* gev/gev.h: all of libgev. Each header stands alone; this one includes them.
 *
 * Conventions of the whole API: failure is -1 or NULL with errno set last. Times are seconds (double): GEV_FOREVER waits without end, zero or
 * less does not wait, NaN is EINVAL. A call that says "blocks the greenlet" lets the other greenlets of this OS thread run. Unless
 * it says otherwise a function may be called from any OS thread that may run greenlets; the first call makes that thread's hub. */
#ifndef GEV_GEV_H
#define GEV_GEV_H

#include <gev/greenlet.h>
#include <gev/io.h>
#include <gev/kill.h>
#include <gev/offload.h>
#include <gev/socket.h>
#include <gev/time.h>
#include <gev/version.h>

#endif
