/* gev/greenlet.h: making greenlets, and waiting for their end. */
#ifndef GEV_GREENLET_H
#define GEV_GREENLET_H

#include <stdbool.h>
#include <stddef.h>

#include <gev/base.h>

GEV_BEGIN

struct gev_greenlet;

/* How a greenlet is to be made. Zeroed means: the defaults; so write `struct gev_spawn_attr attr = {.name = "x"};`. */
struct gev_spawn_attr {
	const char *name;  /* copied, at most 15 bytes are kept; NULL: none */
	size_t stack_size; /* bytes, rounded up to pages; 0: 256 KiB, or GEV_STACK_SIZE. Its lowest page is a guard */
	int identity;      /* GEV_IDENTITY_*; 0: the default */
};

enum {
	/* Shares the OS thread's thread-local storage, and costs least; on its own once libpatch.so is active, where any libc call may switch. */
	GEV_IDENTITY_DEFAULT = 0,
	GEV_IDENTITY_SHARED = 1,
	/* Its own errno, thread_local variables, pthread_self(), locale. */
	GEV_IDENTITY_OWN = 2,
};

/* Makes a greenlet that will run fn(arg) on this OS thread's hub, after those that are ready already.
 * Does not block. Returns its handle, which the caller must give to gev_join or gev_release; NULL and
 * EAGAIN: no memory for stack or identity; ENOMEM: no hub could be made; ENOSYS: no identity of its own can be made here;
 * EINVAL: fn is NULL, or attr makes no sense. Source: gevent.spawn. */
GEV_API struct gev_greenlet *gev_spawn(void *(*fn)(void *), void *arg);
GEV_API struct gev_greenlet *gev_spawn_with(const struct gev_spawn_attr *attr, void *(*fn)(void *), void *arg);

/* Waits until g has ended; then *value (if not NULL) receives what its function returned, and the handle is given back.
 * Blocks the greenlet for at most `timeout` seconds. 0; -1 and ETIMEDOUT (the handle stays the caller's), EINVAL (NaN),
 * EDEADLK (g is the caller), ECANCELED (the caller was killed), EPERM (g belongs to another OS thread's hub). Several may join one greenlet as long as only the last of them may
 * find the handle given back: that is, one joins and the others use other means. Source: gevent.Greenlet.join and get. */
GEV_API int gev_join(struct gev_greenlet *g, double timeout, void **value);

/* Gives the handle back without waiting: the greenlet runs on, and cleans up after itself. NULL is allowed. Does not block.
 * Only on the OS thread whose hub g belongs to. */
GEV_API void gev_release(struct gev_greenlet *g);

/* Whether g has ended. Does not block; any thread. */
GEV_API bool gev_is_done(const struct gev_greenlet *g);

/* Lets every other ready greenlet run once. Blocks the greenlet only so long. */
GEV_API void gev_yield(void);

/* The caller's own greenlet; the OS thread's original flow has one too. NULL where no hub is. Not a handle: do not join or release it. */
GEV_API struct gev_greenlet *gev_self(void);

/* The name it was given, or "". Belongs to g. */
GEV_API const char *gev_name(const struct gev_greenlet *g);

GEV_END

#endif
