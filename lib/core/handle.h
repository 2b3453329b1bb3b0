/* handle.h: references to greenlets, from whichever thread.
 *
 * A handle is one reference. While there is one, the control block is not used for another greenlet: not when the greenlet ends, not when its OS thread
 * ends, not in a forked child. On g's own hub's thread references are plain work; other threads take one lock for all hubs, leave word in the hub's
 * inbox, and never touch what the hub's thread owns. Only that thread makes the last reference go. */
#ifndef GEV_CORE_HANDLE_H
#define GEV_CORE_HANDLE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/core/greenlet.h"
#include "lib/core/hub.h"

/* Counts the forks behind this process: a hub of an earlier era has no OS thread any more. */
extern uint32_t gev__era;

/* Whether that caller, who may be NULL, runs on g's hub. */
static inline bool gev__is_near(const struct gev_greenlet *self, const struct gev_greenlet *g)
{
	return self && self->hub == __atomic_load_n(&g->hub, __ATOMIC_RELAXED);
}

/* The same for whoever calls. */
static inline bool gev__is_here(const struct gev_greenlet *g)
{
	return gev__is_near(gev__self(), g);
}

void gev__handle_ref(struct gev_greenlet *g);
/* Any thread. */
void gev__handle_release(struct gev_greenlet *g);
/* As gev_embed.thread_free says; g is of the caller's hub. */
void gev__handle_drop(struct gev_greenlet *g);

/* Leaves word for g in its hub's inbox; the caller has a handle, and is elsewhere. -ESRCH: its OS thread is gone. */
int gev__handle_post(struct gev_greenlet *g);
/* The hub finds g in its inbox: it was woken, killed, joined, or let go. */
void gev__handle_hear(struct gev_greenlet *g);
/* Whether g has not ended and never will: its OS thread is gone, or stayed behind at a fork. Any thread. */
bool gev__handle_is_lost(const struct gev_greenlet *g);

/* The hub's OS thread ends: its greenlets are reclaimed, but for the control blocks whose handles are held. */
void gev__handles_survive(struct gev__hub *h);

/* With GEV_HANDLES=1: lists the handles of h that nobody gave back; sees to it that this happens at exit. */
void gev__handles_report(const struct gev__hub *h);
void gev__handles_report_at_exit(void);

/* Around a fork: nobody is at work between hubs at that moment. */
void gev__handles_lock(void);
void gev__handles_unlock(void);

#endif
