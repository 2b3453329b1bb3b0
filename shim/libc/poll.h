/* poll.h: what poll and select share. */
#ifndef SHIM_LIBC_POLL_H
#define SHIM_LIBC_POLL_H

#include "shim/libc/wait.h"

/* How long it takes until something is looked at again of which nothing tells: nanoseconds. */
enum { MASKED_SLICE = 20000000 };

int poll_rest(unsigned rounds, int64_t deadline);
void poll_spun(void);
/* > 0 or 0: look again. Negative: -errno. */
int poll_wait(const struct gev_fd_want *want, size_t n, int64_t deadline);
/* The same for one descriptor: its revents are the answer, or 0: look again. */
int poll_wait_for_one(struct pollfd *p, int64_t deadline);
/* Whether it is a stream of which the last read has taken everything, and nothing else is asked. */
bool poll_seems_empty(const struct pollfd *p);
/* There is something to read from fd. */
void poll_note_filled(int fd);
/* Around the waits of a call with a mask of its own; NULL: it has none. */
int poll_mask_begin(const sigset_t *mask, uint64_t *before);
void poll_mask_end(const sigset_t *mask, uint64_t before);
int poll_at_once(const sigset_t *mask);

static inline bool poll_time_valid(const struct timespec *t)
{
	return t == NULL || (t->tv_sec >= 0 && t->tv_nsec >= 0 && t->tv_nsec <= 999999999);
}

/* Of a valid one, or of NULL: never. */
static inline int64_t poll_nanoseconds(const struct timespec *t)
{
	if (t == NULL || t->tv_sec >= GEV_NEVER / 2000000000)
		return GEV_NEVER;
	return t->tv_sec * INT64_C(1000000000) + t->tv_nsec;
}

#endif
