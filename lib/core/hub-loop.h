/* hub-loop.h: the hub's libev loop: how it polls, how it sleeps, how another thread interrupts it, and its descriptors. */
#ifndef GEV_CORE_HUB_LOOP_H
#define GEV_CORE_HUB_LOOP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>

#include "lib/base/macros.h"
#include "lib/core/hub.h"

/* The hub's loop, made at the first call. NULL: no memory or no descriptor, and *error. */
struct gev__hub_loop *gev__loop_make(struct gev__hub *h, int *error);
static inline struct gev__hub_loop *gev__loop_get(struct gev__hub *h, int *error)
{
	return likely(h->loop != NULL) ? h->loop : gev__loop_make(h, error);
}

struct ev_loop *gev__loop_ev(struct gev__hub_loop *loop);
/* The epoll descriptor inside libev, to take a shared descriptor out of the set; -1: unknown. */
int gev__loop_epoll(const struct gev__hub_loop *loop);
/* Whether fd can be watched: 0, -EBADF (not open), -ELOOP (an epoll descriptor under which too many others are nested). libev would abort. */
int gev__loop_try(const struct gev__hub_loop *loop, int fd);
/* Whether fd is one of any hub's own. Async-signal-safe. */
bool gev__loop_internal(int fd);
/* fd becomes one of them, or no longer is one. */
void gev__loop_claim(int fd);
void gev__loop_disclaim(int fd);
/* fd, just made, or -1 and errno, becomes one, at a number above the program's if that can be. The number it has now, or -errno. */
int gev__loop_raise(int fd);
/* The lowest such number that is >= fd; -1: none. */
int gev__loop_internal_next(int fd);
/* Waits until no hub fills the low numbers, of which one may then be open and close without anybody being told. A count: the same as before means that
 * none has done so meanwhile. */
unsigned gev__loop_settled(void);

/* Who has watchers on the loop. */
enum { GEV__LOOP_BATCH = 256 };
struct gev__loop_ear {
	/* The loop has looked itself: of all of a look at once, GEV__LOOP_BATCH at most, so that their misses overlap. False: in some nobody is
	 * interested. */
	bool (*heard)(void *arg, const struct epoll_event *events, int n);
	/* Around the moments when libev tells the kernel of changes: which numbers are open must not change between. */
	void (*hold)(void *arg);
	void (*release)(void *arg);
};
void gev__loop_listen(struct gev__hub_loop *loop, const struct gev__loop_ear *ear, void *arg);
/* The descriptor of such an event. ev_epoll.c: the number in the low half, its generation in the high one. */
static inline int gev__loop_event_fd(const struct epoll_event *event)
{
	return (int)(uint32_t)event->data.u64;
}
/* GEV_READABLE | GEV_WRITABLE, as libev makes them of it. */
static inline int gev__loop_event_ready(const struct epoll_event *event)
{
	uint32_t e = event->events;
	bool both = e & (EPOLLERR | EPOLLHUP);
	return (e & EPOLLIN || both ? GEV_READABLE : 0) | (e & EPOLLOUT || both ? GEV_WRITABLE : 0);
}
/* A watcher was started or stopped: libev must run once, to tell the kernel. */
void gev__loop_changed(struct gev__hub_loop *loop);

/* One look, without waiting. */
void gev__loop_poll(struct gev__hub_loop *loop);
/* Waits for a descriptor, the deadline, or an interruption. */
void gev__loop_sleep(struct gev__hub_loop *loop, int64_t deadline);
/* Any thread. */
void gev__loop_interrupt(struct gev__hub_loop *loop);

/* In a forked child: the loop is thrown away; a new one is made when it is needed. */
void gev__loop_forked(struct gev__hub *h);
/* Around a fork: no loop is made meanwhile. */
void gev__loops_lock(void);
void gev__loops_unlock(void);
/* There, whether the caller has a hub or not. */
void gev__loops_forked(const struct gev__hub *own);
void gev__loop_free(struct gev__hub *h);

#endif
