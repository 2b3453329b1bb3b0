/* wait.h: how a call on a descriptor waits, and how it ends.
 *
 * One struct io_wait spans a whole call: its deadline is taken once, at the first wait, and covers partial
 * transfers too. */
#ifndef SHIM_LIBC_WAIT_H
#define SHIM_LIBC_WAIT_H

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "gev/embed.h"
#include "shim/base/patch.h"
#include "shim/fds/fds.h"
#include "shim/pthread/cancel.h"

/* What a wrapper does when it is green stands apart from the wrapper, so that without a runtime it saves no
 * register: a load, a test and a jump to the original. */
#define APART __attribute__((noinline))

struct io_wait {
	int fd;
	int way;       /* GEV_READABLE or GEV_WRITABLE */
	unsigned vain; /* waits in a row after which the call still had to wait; set to 0 by progress */
	unsigned naps; /* how many of them were blind */
	bool tried;    /* a call has been made on fd, and had to wait: fd is open */
	bool blind;    /* epoll would not say when: only ask again and again */
	bool moved; /* the call has moved something already: a handler ends it, SA_RESTART or not, as in the kernel */
	int64_t timeout;                 /* nanoseconds from the call's start; GEV_NEVER: none */
	int64_t deadline;                /* absolute; 0: not taken yet */
	const struct description *about; /* what fd stood for at the first wait, and its life */
	uint32_t life;
};

/* What io_wait says of a descriptor that epoll refuses: nothing on it ever blocks. Outside the range of errno. */
enum { IO_NEVER_BLOCKS = -4096 };

/* CLOCK_MONOTONIC in nanoseconds, and that plus ns, GEV_NEVER when it would not fit. */
int64_t io_now(void);
int64_t io_after(int64_t ns);

/* Parks until the call is worth another try: 0. -EAGAIN: the timeout of the socket has passed. -EBADF: closed
 * meanwhile. -ECANCELED: killed. -EINTR: a handler has run that does not restart the call. IO_NEVER_BLOCKS. */
int io_wait(struct io_wait *w);
/* The same where nothing says when: sleeps a little, longer each time. */
int io_backoff(struct io_wait *w);
/* A sleep that ends early with -ECANCELED or, when a handler has run, with -EINTR. */
int io_sleep(int64_t until);
/* What poll(2) says now, without waiting. -1 and errno. */
int io_poll(struct pollfd *fds, nfds_t n);
bool io_ready(int fd, int way);

/* POSIX cancellation points begin with this, and a wait that was cut short ends with it, holding nothing: it may
 * unwind the caller. */
static inline void io_cancellation_point(void)
{
	if (patch_cancelled())
		patch_testcancel();
}

/* The edge of a way on which nothing has touched errno: reading it only to put it back would be a cache miss a call. */
static inline ssize_t io_answer(ssize_t r)
{
	if (likely(r >= 0))
		return r;
	if (r == -ECANCELED)
		io_cancellation_point();
	errno = (int)-r;
	return -1;
}

/* The edge: a count, or -errno to -1 and errno. A successful call leaves errno as it found it: `saved`. */
static inline ssize_t io_result(ssize_t r, int saved)
{
	if (unlikely(r == -ECANCELED))
		io_cancellation_point();
	errno = r < 0 ? (int)-r : saved;
	return r < 0 ? -1 : r;
}

#endif
