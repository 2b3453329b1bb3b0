/* lot.h: the parking lot: a futex in user space, for greenlets and plain OS threads alike.
 *
 * An address names a queue. A waiter is a node on the waiting flow's own stack; it is on exactly one queue until somebody chooses it or it takes
 * itself off, both under the bucket's lock. Contracts: gev/embed.h, lot_*. */
#ifndef GEV_CORE_LOT_H
#define GEV_CORE_LOT_H

#include <stdbool.h>
#include <stdint.h>

struct gev_greenlet;

int gev__lot_wait(const void *addr, bool (*validate)(void *arg), void (*before_sleep)(void *arg), void *arg,
		  int64_t deadline, unsigned flags, uintptr_t *token);
int gev__lot_wake(const void *addr, int n, uintptr_t token);
int gev__lot_wake_one(const void *addr, uintptr_t (*decide)(void *arg, bool woken, bool more), void *arg);
void gev__lot_wake_one_async(const void *addr, uintptr_t (*decide)(void *arg, bool woken, bool more));
int gev__lot_requeue(const void *from, const void *to, int n_wake, int n_move, bool (*validate)(void *arg), void *arg,
		     uintptr_t token);

/* For observers, on any OS thread: calls each for every greenlet that waits, under the lock of its bucket: `each` must not block. False: a bucket
 * stayed locked, and was left out. */
bool gev__lot_each(void (*each)(void *arg, const struct gev_greenlet *g, const void *addr, unsigned kind), void *arg);

struct gev__hub;

/* The hub's OS thread ends: its greenlets wait no more. Afterwards no lot_wake touches the hub. */
void gev__lot_forget(const struct gev__hub *hub);
/* Before the first handler may call gev__lot_wake_one_async; again is harmless. */
void gev__lot_start(void);
/* In a forked child: nobody waits any more. */
void gev__lot_forked(void);

#endif
