/* gev/end.h: how a greenlet ends: what must happen then, leaving from within, and failing. */
#ifndef GEV_END_H
#define GEV_END_H

#include <gev/base.h>

GEV_BEGIN

/* fn(arg) will run when the calling greenlet's function is over, however that came: it returned, was killed, called gev_exit. The last registered runs
 * first. They run on the greenlet, shielded (gev/kill.h) and outside of every gev_timeout, so they may block; what they register runs too.
 * Does not block. 0; -1 and ENOMEM; EINVAL: fn is NULL; EPERM: the caller is no spawned greenlet (the OS thread's original flow has atexit). */
GEV_API int gev_defer(void (*fn)(void *), void *arg);

/* Ends the calling greenlet with that value, as if its function had returned it, from however deep within. On the way C++ destructors run, and the
 * handlers of pthread_cleanup_push: with an identity of its own all of them, else those of code that was compiled as C++ or with -fexceptions (the
 * others are kept in a list that greenlets of one identity share, and are passed over). Destructors may block; a catch (...) must throw on.
 * On the OS thread's original flow, and where no hub is, it is pthread_exit: but the first thread's other greenlets go on, and the last of them ends the process, with status 0.
 * Not in a link. Source: pthread_exit (POSIX), greenlet's GreenletExit. */
GEV_API void gev_exit(void *value) __attribute__((noreturn));

/* The calling greenlet has failed: `return gev_fail(errno, "reading the greeting");`. Says so once on standard error, with the greenlet's name; gev_error tells it to whoever holds
 * a handle. `error` is an errno value (zero or less: EINVAL); `what`, not kept, says what failed, or is NULL. A second call changes the error and says nothing; ECANCELED in a greenlet that was
 * killed is no failure to speak of, and is only kept. Does not end the greenlet. Returns NULL. Does not block; any thread. */
GEV_API void *gev_fail(int error, const char *what);

GEV_END

#endif
