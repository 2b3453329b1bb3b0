/* gev/greenlet.h: making greenlets, holding them, and waiting for their end.
 *
 * A handle is a reference. Whoever gets one from gev_spawn or gev_ref gives it back with gev_release, once; until then it may be joined, killed,
 * linked and asked, any number of times, whatever becomes of the greenlet meanwhile: it ends, its OS thread ends, the process forks. Nothing but
 * gev_release takes a handle away. Functions that take one may be called with any handle that has not been released; unless one says
 * otherwise, on any OS thread, with or without a hub. GEV_HANDLES=1 in the environment lists, at exit, those that nobody released. */
#ifndef GEV_GREENLET_H
#define GEV_GREENLET_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include <gev/base.h>

GEV_BEGIN

struct gev_greenlet;

/* How a greenlet is to be made. Zeroed means: the defaults; so write `struct gev_spawn_attr attr = {.name = "x"};`. */
struct gev_spawn_attr {
	const char *name;  /* copied, at most 15 bytes are kept; NULL: none */
	size_t stack_size; /* bytes, rounded up to pages; 0: 256 KiB, or GEV_STACK_SIZE. Its lowest page is a guard */
	int identity;      /* GEV_IDENTITY_*; 0: the default */
	bool suspended;    /* it waits for gev_start */
};

enum {
	/* Shares the OS thread's thread-local storage, and costs least; on its own once libpatch.so is active, where any libc call may switch.
	 * errno and the C++ exceptions that it is handling are its own all the same (exceptions: if C++ was loaded before the hub was made). */
	GEV_IDENTITY_DEFAULT = 0,
	GEV_IDENTITY_SHARED = 1,
	/* Its own errno, thread_local variables, pthread_self(), locale. When its function is over, after its defers and locals, the destructors of its
	 * thread_local objects and of its keys' values (pthread_key_create) run, shielded, as at a thread's end. */
	GEV_IDENTITY_OWN = 2,
};

/* ---- Making ---- */

/* Makes a greenlet that will run fn(arg) on this OS thread's hub, after those that are ready already. attr NULL: the defaults.
 * Does not block. Returns a handle; NULL and EAGAIN: no memory for stack, identity or control block; ENOMEM: no hub could be made;
 * ENOSYS: no identity of its own can be made here; EINVAL: fn is NULL, or attr makes no sense. Source: gevent.spawn. */
GEV_API struct gev_greenlet *gev_spawn(void *(*fn)(void *), void *arg);
GEV_API struct gev_greenlet *gev_spawn_with(const struct gev_spawn_attr *attr, void *(*fn)(void *), void *arg);

/* As gev_spawn_with, but fn gets a pointer to a copy of the `size` bytes at `data`, which lies on the new stack, aligned as malloc's memory is. So
 * the original may go at once. EINVAL also when it would take more than half of the stack. */
GEV_API struct gev_greenlet *gev_spawn_copy(const struct gev_spawn_attr *attr, void *(*fn)(void *), const void *data,
					    size_t size);

/* As gev_spawn_with, without a handle: nobody can wait for it, and what fn returns is dropped. 0, or -1 and errno. EINVAL also for `suspended`. */
GEV_API int gev_spawn_detached(const struct gev_spawn_attr *attr, void *(*fn)(void *), void *arg);

/* As gev_spawn_with, but it begins after `seconds` (zero or less: as gev_spawn; GEV_FOREVER: at gev_start). gev_kill before that ends it, and fn
 * never runs; so does giving back the last handle of one that waits for gev_start. EINVAL also for NaN and `suspended`. Source: gevent.spawn_later. */
GEV_API struct gev_greenlet *gev_spawn_later(const struct gev_spawn_attr *attr, double seconds, void *(*fn)(void *),
					     void *arg);

/* Puts one that was made suspended into the ready queue; the second time, and for any other, it does nothing. Does not block.
 * 0; -1 and EPERM: g is of another OS thread's hub. Source: gevent.Greenlet.start. */
GEV_API int gev_start(struct gev_greenlet *g);

/* ---- Holding ---- */

/* Another handle of the same greenlet, to be given back like the first. Returns g. Does not block. g may also be gev_self() of a spawned greenlet; not the
 * OS thread's original flow. */
GEV_API struct gev_greenlet *gev_ref(struct gev_greenlet *g);

/* Gives a handle back: the greenlet runs on, and cleans up after itself. NULL is allowed. Does not block. */
GEV_API void gev_release(struct gev_greenlet *g);

/* ---- Waiting ---- */

/* Waits until g has ended; then *value (if not NULL) receives what its function returned, or NULL if it failed (gev_error). Any number may
 * wait for one greenlet, at once or one after another; first come, first woken.
 * Blocks the greenlet (an OS thread without a hub: the thread) for at most `timeout` seconds. 0; -1 and ETIMEDOUT; EINVAL (NaN); EDEADLK: g is the
 * caller, or a deadlock (gev/gev.h); ECANCELED: the caller was killed; ESRCH: g did not end and never will, because its OS thread has, or because
 * it stayed behind at a fork; EPERM: called by a link (gev/link.h). Source: gevent.Greenlet.join and get. */
GEV_API int gev_join(struct gev_greenlet *g, double timeout, void **value);

/* Waits until `count` of the n have ended; 0: all. Blocks for at most `timeout` seconds. Returns how many have ended, which may be more than asked for;
 * -1 and errno as gev_join, and EINVAL: count > n; EPERM: count is less than n, and one is of another OS thread's hub; ENOMEM. EDEADLK: the
 * caller is one of them. Those that ESRCH would be said of count as ended. Source: gevent.joinall. */
GEV_API ssize_t gev_joinall(struct gev_greenlet *const *gs, size_t n, size_t count, double timeout);

/* Whether g has ended, or never will. Does not block. */
GEV_API bool gev_is_done(const struct gev_greenlet *g);

/* How g ended: 0: well, or not yet; else the error it gave to gev_fail; ECANCELED: it was killed before it began; ESRCH as for gev_join. Does not block. */
GEV_API int gev_error(const struct gev_greenlet *g);

/* ---- Oneself ---- */

/* Lets every other ready greenlet run once. Blocks the greenlet only so long. */
GEV_API void gev_yield(void);

/* The caller's own greenlet; the OS thread's original flow has one too. NULL where no hub is, and in a link. Not a handle: do not release it. */
GEV_API struct gev_greenlet *gev_self(void);

/* The name it was given, or "". Belongs to g. */
GEV_API const char *gev_name(const struct gev_greenlet *g);

GEV_END

#endif
