/* gev/local.h: variables of which every greenlet has its own, with destructors.
 *
 * A thread_local variable is one for all greenlets that share an OS thread's storage, which is the default; these are not. */
#ifndef GEV_LOCAL_H
#define GEV_LOCAL_H

#include <gev/base.h>

GEV_BEGIN

struct gev_local;

/* A new variable; NULL in every greenlet at first. At the end of a greenlet in which it is not NULL, after its defers, destroy(value) runs there, shielded; destroy
 * may be NULL. Does not block; any thread. NULL and ENOMEM; EAGAIN: there are 1024 already. */
GEV_API struct gev_local *gev_local_new(void (*destroy)(void *value));

/* The variable is no more, in any greenlet; destructors do not run for the values that are left. NULL is allowed. Any thread. */
GEV_API void gev_local_free(struct gev_local *local);

/* The calling greenlet's value. NULL also where there is no greenlet. Does not block, does not touch errno. */
GEV_API void *gev_local_get(const struct gev_local *local);

/* Sets it. Does not block. 0; -1 and ENOMEM; EPERM: called by a link. The OS thread's original flow has a value too: its destructor runs when a thread
 * ends, but not at the end of the process. */
GEV_API int gev_local_set(struct gev_local *local, void *value);

GEV_END

#endif
