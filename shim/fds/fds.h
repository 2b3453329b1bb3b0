/* fds.h: what the shim knows about each descriptor.
 *
 *     number ──> index ──> struct description ──> (the kernel's open file description)
 *        5         17      kind, wish, timeouts…
 *        9         17      the same one: a dup
 *
 * POSIX keeps O_NONBLOCK with the open file description and SO_RCVTIMEO with the socket behind it, so dup'ed
 * numbers share one record here too, counted by `refs`. A number is learnt at its first use and known until it is
 * closed, replaced or made anew: every closer says fds_forget. A number that was never learnt costs nothing.
 *
 * Any OS thread and any signal handler may call everything here: no locks, no malloc, errno is kept. Records are
 * never unmapped: a reader that a close overtakes reads old facts, never foreign memory. After a park the number
 * may stand for another file: look it up again. The library keeps `drained` too, by number: what it knows, a recv would have to call for. */
#ifndef SHIM_FDS_H
#define SHIM_FDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How a call on it is kept from blocking the OS thread. */
enum fd_kind {
	FD_UNKNOWN,
	FD_STREAM,  /* a stream socket: MSG_DONTWAIT */
	FD_MESSAGE, /* any other socket: MSG_DONTWAIT, one call moves one message */
	FD_SLOW,    /* pipe, terminal, eventfd…: RWF_NOWAIT where it works, else wait first */
	FD_PLAIN,   /* regular file, directory, block device: the original */
};

/* A terminal's piece, and no other's. */
enum { FDS_LINE = 512 };

/* Ways, as in embed.h: GEV_READABLE, GEV_WRITABLE. */
struct description {
	uint32_t refs;  /* how many numbers stand for it */
	uint32_t index; /* its own */
	uint32_t life;  /* how often it was handed out: with its address, a name that is never given again */
	uint32_t next;  /* in the free list */
	uint32_t epoch; /* when `foreign`: the value of the epoch at which it was learnt */
	uint32_t low;   /* SO_RCVLOWAT */
	uint16_t piece; /* wait first: the most one write may move after POLLOUT without blocking; 0: any number */
	uint8_t kind;
	uint8_t wish;   /* the program wants O_NONBLOCK, which means nothing to a plain file */
	uint8_t covert; /* O_NONBLOCK is set, by us, and hidden from the program */
	uint8_t listening;
	uint8_t drained;         /* the last read took all there was: wait first, do not try */
	uint8_t foreign;         /* found, not seen being made: other numbers may stand for it unknown to us */
	uint8_t no_nowait;       /* ways in which RWF_NOWAIT does not work on it */
	uint8_t counter;         /* an eventfd, or another of the files without a type: each write is one number */
	uint8_t slow_storage;    /* the last fsync took long */
	uint8_t direct;          /* a file without the page cache (O_DIRECT): every transfer waits for a device */
	uint8_t vain;            /* an epoll set: the waits in a row that had nothing when they began */
	uint8_t local;           /* a Unix socket */
	uint8_t credentials;     /* SO_PASSCRED */
	uint8_t lingers;         /* SO_LINGER, with a time: its last close may wait */
	uint8_t own;             /* the runtime's (libc/close.h, own_take) */
	uint8_t held;            /* and as long as a close waits (libc/linger.c) */
	int64_t receive_timeout; /* nanoseconds; GEV_NEVER: none */
	int64_t send_timeout;
};

/* How often a record was handed out that had been another's before. While it stays the same, so has every life. */
extern uint32_t fds_reused;

/* fd was just made, and is this. */
struct description *fds_made(int fd, enum fd_kind kind, bool wish);
/* `to` was just made to stand for what `from` stands for. */
void fds_dup(int from, int to);
/* fd is about to be closed or replaced, or was just made by someone who said nothing more about it. */
void fds_forget(int fd);
void fds_forget_range(unsigned first, unsigned last);

/* Whether any description has ever had `lingers` or `held`. Until then no close has to look. */
extern bool fds_lingering;
/* The lowest number in [first, last] whose record is so; -1: none. */
int fds_next(unsigned first, unsigned last, bool (*is_so)(const struct description *d));

/* A fact that the kernel keeps for all numbers of d was changed through one of them: unknown twins of foreign ones
 * learn anew. */
void fds_changed(struct description *d);

/* What fstat, getsockopt and F_GETFL say now. 0 or -errno. */
int fds_learn(int fd, struct description *d);

/* ---- O_NONBLOCK that the program must not see (flags.c) ---- */

/* Sets it on a listening socket, marked as ours for every process that shares the description. 0 or -errno; -EPERM: it was given back, or the program
 * has signals sent for it. */
int fds_cover(int fd, struct description *d);
/* The program now sets O_NONBLOCK itself: it is no longer ours. */
void fds_uncover(int fd, struct description *d);
/* The program is about to have signals sent for it: it blocks again. errno is kept. */
void fds_bare(int fd);
/* Whether the O_NONBLOCK of fd is the mark's, here or in another patched process. */
bool fds_marked(int fd);

/* fd has the mark: it blocks again, for good, or until the same caller takes it again. errno is not kept. */
void fds_give(int fd);
void fds_take_again(int fd);
/* The same for what another process is about to have, for good, if it has the mark. */
void fds_give_away(int fd);
/* Whether somebody has given it back, here or in another patched process. */
bool fds_given(int fd);
/* Whether what was covered still is. */
bool fds_still_covered(int fd);
/* Another process may do so with what is covered here: this one has forked, or given something itself. */
extern bool fds_exposed;
/* d->covert is true from now on: another process may have given fd back. */
static inline void fds_look_again(int fd, struct description *d)
{
	if (d->covert && (fds_exposed || d->foreign) && !fds_still_covered(fd))
		d->covert = false;
}

/* ---- the parts (pool.c) ---- */

enum { FDS_SLAB_BITS = 9, FDS_SLAB = 1 << FDS_SLAB_BITS, FDS_SLABS = 1 << 15 };
extern struct description *fds__slabs[FDS_SLABS];

static inline struct description *fds__at(uint32_t index)
{
	return &__atomic_load_n(&fds__slabs[index >> FDS_SLAB_BITS], __ATOMIC_ACQUIRE)[index & (FDS_SLAB - 1)];
}
struct description *fds__alloc(void);
void fds__free(struct description *d);

/* ---- the table (table.c) ---- */

enum { FDS_PAGE_BITS = 12, FDS_PAGE = 1 << FDS_PAGE_BITS, FDS_PAGES = 1 << 12 };
extern uint32_t *fds__pages[FDS_PAGES];
/* Bumped when a foreign description changes: see fds_changed. */
extern uint32_t fds__epoch;

/* The row of fd; NULL when its page is not there, or the number is beyond what the table holds. */
static inline __attribute__((always_inline)) uint32_t *fds__row(int fd)
{
	if ((unsigned)fd >= (unsigned)FDS_PAGE * FDS_PAGES)
		return NULL;
	uint32_t *page = __atomic_load_n(&fds__pages[fd >> FDS_PAGE_BITS], __ATOMIC_ACQUIRE);
	return page ? &page[fd & (FDS_PAGE - 1)] : NULL;
}

/* ---- looking up: several times a call, so inline ---- */

/* What is known about fd; NULL: it was never learnt. */
static inline __attribute__((always_inline)) struct description *fds_peek(int fd)
{
	const uint32_t *r = fds__row(fd);
	uint32_t index = r ? __atomic_load_n(r, __ATOMIC_ACQUIRE) : 0;
	return index ? fds__at(index) : NULL;
}

/* Whether what is known still holds. */
static inline __attribute__((always_inline)) bool fds__holds(const struct description *d)
{
	return !d->foreign || d->epoch == __atomic_load_n(&fds__epoch, __ATOMIC_RELAXED);
}

/* d is fds_peek(fd), of which nothing is known, or no more. */
struct description *fds__learn_now(int fd, struct description *d);

/* What is known about fd; learnt now if it never was. NULL: fd is not open, or there is no memory: make the
 * original call. errno stays as it is. */
static inline struct description *fds_get(int fd)
{
	struct description *d = fds_peek(fd);
	return __builtin_expect(d && fds__holds(d), 1) ? d : fds__learn_now(fd, d);
}

/* Whether fd is known to be one that the program has made not to block: then its calls need no runtime. */
static inline __attribute__((always_inline)) bool fds_wished(int fd)
{
	const struct description *d = fds_peek(fd);
	return d && d->wish && fds__holds(d);
}

#endif
