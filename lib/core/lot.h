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

/* What becomes of a visitor of a queue of waiters. */
enum gev__meeting {
	GEV__MEET_LEAVE, /* he goes on */
	GEV__MEET_WAIT,  /* he stands at the end, and sleeps */
	GEV__MEET_WAKE,  /* the longest waiter is chosen, and then he meets the next */
	GEV__MEET_WAKE_AND_LEAVE,
};
/* For objects whose waiters bring something, or want something brought. Under the bucket's lock, which is so also the lock of the object at addr, calls
 * meet(visitor, waiting): `waiting` is what the longest waiter came with as `visitor`, or NULL where nobody waits. It may be written to: until its owner
 * has been chosen it stays. 0: he left, or was chosen; else as lot_wait, and -EPERM: the hub itself must not wait. Nothing at addr is touched after the last meeting. */
int gev__lot_meet(const void *addr, enum gev__meeting (*meet)(void *visitor, void *waiting), void *visitor,
		  int64_t deadline, unsigned flags);

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
