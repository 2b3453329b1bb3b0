/* identity.h: what makes a greenlet a thread of its own: a thread control block and thread-local storage.
 *
 * An identity is named by its thread pointer. Whoever runs as it has its own errno, thread-local variables, pthread_self(), locale and
 * stdio lock ownership; malloc's per-thread cache is shared with the OS thread that made it, because malloc never switches.
 *
 * A pool belongs to one OS thread. Invariant: an identity is in use and on the loader's list of stacks, or its place is in the pool and it is not on it. */
#ifndef GEV_CONTEXT_IDENTITY_H
#define GEV_CONTEXT_IDENTITY_H

#include <stddef.h>

#include "lib/context/identity-memory.h"

struct gev__identity_pool {
	struct gev__tls_pool memory;
	size_t in_use;
};

/* Finds out, once a process, whether and how identities can be made here. NULL: they can; else the sentence why not. */
const char *gev__identity_missing(void);

/* A new identity, its thread-local storage at the initial image of every loaded module. -EAGAIN: no memory. Call it as the OS thread's own. */
int gev__identity_get(struct gev__identity_pool *pool, void **tp);

/* What pthread_self() says there: the address of libc's struct pthread, which is the thread pointer itself on x86-64 only. */
void *gev__identity_self(const void *tp);

/* What libc takes for the thread's number: the owner of a mutex is one of these. 0: not known here. */
int gev__identity_number(const void *tp);

/* To be called by the new flow when it first runs as the identity. */
void gev__identity_begin(void);

/* By the flow that runs as it, when it is over: destructors of thread_local objects and of keys' values. They may switch. */
void gev__identity_end(void);

/* Gives it back; nobody runs as it, and its destructors have run. */
void gev__identity_put(struct gev__identity_pool *pool, void *tp);

/* In a forked child: libc has made its list of stacks anew, with the caller's identity alone on it. Any other one must be told before it is put. */
void gev__identity_forked(void *tp);

/* There, for the caller's own identity. libc takes it for a thread that it made itself, and would hand its memory on in a child of the child
 * (nptl: reclaim_stacks sorts by a flag whose place is not published); so it goes back to where it belongs. */
void gev__identity_survived(void *tp);

/* Around a fork: no other OS thread is at work on the loader's list at that moment, or finds out whether there can be identities. */
void gev__identities_lock(void);
void gev__identities_unlock(void);

void gev__identity_pool_done(struct gev__identity_pool *pool);

#endif
