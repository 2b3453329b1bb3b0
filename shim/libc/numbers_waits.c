/* syscall(2) by the numbers of calls that wait for several descriptors, for time, for children, signals, storage and queues. Where the bare system call does
 * otherwise than libc's function of its name, it does so here too: ppoll, select and pselect6 write back the time that is left, if they can; clock_nanosleep
 * answers with -1. A signal set is 8 bytes long. */
#include <linux/io_uring.h>
#include <string.h>
#include <sys/syscall.h>

#include "shim/libc/kernel.h"
#include "shim/libc/numbers.h"
#include "shim/libc/poll.h"
#include "shim/libc/wait.h"
#include "shim/signal/signals.h"

/* ---- Signal sets, and the time that is left ---- */

enum { SET_SIZE = 8 };

/* NULL: none. */
static const sigset_t *set_of(sigset_t *room, const void *kernels)
{
	if (kernels == NULL)
		return NULL;
	sigemptyset(room);
	memcpy(room, kernels, SET_SIZE);
	return room;
}

/* A time that cannot be written to is left as it is, and nobody is told (fs/select.c, poll_select_finish): programs may have theirs in constant memory.
 * So the kernel writes there; where that call is forbidden or not known, the time may be written to in all likelihood. */
static void write_time(void *at, const void *time, size_t size)
{
	const struct iovec from = {(void *)time, size}, to = {at, size};
	long r = kernel_call6(SYS_process_vm_writev, getpid(), (long)&from, 1, (long)&to, 1, 0);
	if (r < 0 && r != -EFAULT)
		memcpy(at, time, size);
}

struct timed {
	struct timespec *given, wanted;
	int64_t began;
};

static const struct timespec *time_begins(struct timed *t, long given)
{
	*t = (struct timed){.given = P(struct timespec *, given), .began = io_now()};
	if (t->given == NULL)
		return NULL;
	t->wanted = *t->given;
	return &t->wanted;
}

static void time_ends(const struct timed *t)
{
	if (t->given == NULL)
		return;
	int64_t left = poll_nanoseconds(&t->wanted) - (io_now() - t->began);
	left = left > 0 ? left : 0;
	write_time(t->given, &(struct timespec){left / 1000000000, left % 1000000000}, sizeof *t->given);
}

/* Wrong arguments are the kernel's business. */
static bool ppoll_numbered(const long a[6], long *r)
{
	struct timed t;
	sigset_t room;
	if (!patch_green() || !poll_time_valid(P(const struct timespec *, a[2])) || (a[3] && a[4] != SET_SIZE))
		return false;
	const struct timespec *wanted = time_begins(&t, a[2]);
	HELD(*r = patch_ppoll(P(struct pollfd *, a[0]), (nfds_t)a[1], wanted, set_of(&room, P(void *, a[3]))));
	int saved = errno;
	time_ends(&t);
	errno = saved;
	return true;
}

static bool pselect_numbered(const long a[6], long *r)
{
	const struct {
		const void *set;
		size_t size;
	} *mask = P(const void *, a[5]);
	struct timed t;
	sigset_t room;
	if (!patch_green() || !poll_time_valid(P(const struct timespec *, a[4])) ||
	    (mask && mask->set && mask->size != SET_SIZE))
		return false;
	const struct timespec *wanted = time_begins(&t, a[4]);
	HELD(*r = patch_pselect((int)a[0], P(fd_set *, a[1]), P(fd_set *, a[2]), P(fd_set *, a[3]), wanted,
				set_of(&room, mask ? mask->set : NULL)));
	int saved = errno;
	time_ends(&t);
	errno = saved;
	return true;
}

#ifdef SYS_select
static bool select_numbered(const long a[6], long *r)
{
	struct timeval *given = P(struct timeval *, a[4]), t;
	if (!patch_green())
		return false;
	if (given)
		t = *given;
	HELD(*r = patch_select((int)a[0], P(fd_set *, a[1]), P(fd_set *, a[2]), P(fd_set *, a[3]), given ? &t : NULL));
	if (given)
		write_time(given, &t, sizeof t);
	return true;
}
#endif

static bool on_descriptors(long number, const long a[6], long *r)
{
	sigset_t room;
	switch (number) {
#ifdef SYS_poll
	case SYS_poll:
		HELD(*r = patch_poll(P(struct pollfd *, a[0]), (nfds_t)a[1], (int)a[2]));
		return true;
#endif
#ifdef SYS_select
	case SYS_select:
		return select_numbered(a, r);
#endif
#ifdef SYS_epoll_wait
	case SYS_epoll_wait:
		HELD(*r = patch_epoll_wait((int)a[0], P(struct epoll_event *, a[1]), (int)a[2], (int)a[3]));
		return true;
#endif
	case SYS_ppoll:
		return ppoll_numbered(a, r);
	case SYS_pselect6:
		return pselect_numbered(a, r);
	case SYS_epoll_pwait:
		if (a[4] && a[5] != SET_SIZE)
			return false;
		HELD(*r = patch_epoll_pwait((int)a[0], P(struct epoll_event *, a[1]), (int)a[2], (int)a[3],
					    set_of(&room, P(void *, a[4]))));
		return true;
#ifdef SYS_epoll_pwait2
	case SYS_epoll_pwait2:
		if (a[4] && a[5] != SET_SIZE)
			return false;
		HELD(*r = patch_epoll_pwait2((int)a[0], P(struct epoll_event *, a[1]), (int)a[2],
					     P(const struct timespec *, a[3]), set_of(&room, P(void *, a[4]))));
		return true;
#endif
	default:
		return false;
	}
}

/* ---- Time, children, signals ---- */

static long minus_one(int error)
{
	if (error == 0)
		return 0;
	errno = error;
	return -1;
}

static bool on_events(long number, const long a[6], long *r)
{
	sigset_t room;
	switch (number) {
	case SYS_nanosleep:
		HELD(*r = patch_nanosleep(P(const struct timespec *, a[0]), P(struct timespec *, a[1])));
		return true;
	case SYS_clock_nanosleep:
		if (a[0] == CLOCK_THREAD_CPUTIME_ID) /* EOPNOTSUPP, of which libc makes EINVAL */
			return false;
		HELD(*r = minus_one(patch_clock_nanosleep((clockid_t)a[0], (int)a[1], P(const struct timespec *, a[2]),
							  P(struct timespec *, a[3]))));
		return true;
	case SYS_wait4:
		HELD(*r = patch_wait4((pid_t)a[0], P(int *, a[1]), (int)a[2], P(struct rusage *, a[3])));
		return true;
	case SYS_waitid: /* its fifth, of which libc's knows nothing, says what the child has used */
		if (a[4])
			return false;
		HELD(*r = patch_waitid((int)a[0], (id_t)a[1], P(siginfo_t *, a[2]), (int)a[3]));
		return true;
#ifdef SYS_pause
	case SYS_pause:
		HELD(*r = patch_pause());
		return true;
#endif
	case SYS_rt_sigsuspend:
		if (a[0] == 0 || a[1] != SET_SIZE)
			return false;
		HELD(*r = patch_sigsuspend(set_of(&room, P(void *, a[0]))));
		return true;
	case SYS_rt_sigtimedwait:
		if (a[0] == 0 || a[3] != SET_SIZE)
			return false;
		HELD(*r = patch_sigtimedwait(set_of(&room, P(void *, a[0])), P(siginfo_t *, a[1]),
					     P(const struct timespec *, a[2])));
		return true;
	default:
		return false;
	}
}

/* ---- Storage, queues, chance ---- */

static bool on_storage(long number, const long a[6], long *r)
{
	const int fd = (int)a[0];
	switch (number) {
	case SYS_fsync:
		HELD(*r = patch_fsync(fd));
		return true;
	case SYS_fdatasync:
		HELD(*r = patch_fdatasync(fd));
		return true;
	case SYS_syncfs:
		HELD(*r = patch_syncfs(fd));
		return true;
	case SYS_sync:
		HELD(patch_sync());
		*r = 0;
		return true;
#ifdef SYS_sync_file_range
	case SYS_sync_file_range:
		HELD(*r = patch_sync_file_range(fd, a[1], a[2], (unsigned)a[3]));
		return true;
#endif
	case SYS_msync:
		HELD(*r = patch_msync(P(void *, a[0]), (size_t)a[1], (int)a[2]));
		return true;
	case SYS_getrandom:
		HELD(*r = patch_getrandom(P(void *, a[0]), (size_t)a[1], (unsigned)a[2]));
		return true;
	default:
		return false;
	}
}

static bool on_queues(long number, const long a[6], long *r)
{
	const int queue = (int)a[0];
	switch (number) {
	case SYS_mq_timedsend:
		HELD(*r = patch_mq_timedsend(queue, P(const char *, a[1]), (size_t)a[2], (unsigned)a[3],
					     P(const struct timespec *, a[4])));
		return true;
	case SYS_mq_timedreceive:
		HELD(*r = patch_mq_timedreceive(queue, P(char *, a[1]), (size_t)a[2], P(unsigned *, a[3]),
						P(const struct timespec *, a[4])));
		return true;
	case SYS_msgsnd:
		HELD(*r = patch_msgsnd(queue, P(const void *, a[1]), (size_t)a[2], (int)a[3]));
		return true;
	case SYS_msgrcv:
		HELD(*r = patch_msgrcv(queue, P(void *, a[1]), (size_t)a[2], a[3], (int)a[4]));
		return true;
	case SYS_semop:
		HELD(*r = patch_semop(queue, P(struct sembuf *, a[1]), (size_t)a[2]));
		return true;
	case SYS_semtimedop:
		HELD(*r = patch_semtimedop(queue, P(struct sembuf *, a[1]), (size_t)a[2],
					   P(const struct timespec *, a[3])));
		return true;
	default:
		return false;
	}
}

/* ---- io_uring ---- */

/* The kernel looks for what has been completed, and at what it has put off until somebody looks (IORING_SETUP_IOPOLL, IORING_SETUP_DEFER_TASKRUN). */
static long ring_look(int ring)
{
	return real.syscall(SYS_io_uring_enter, ring, 0, 0, IORING_ENTER_GETEVENTS, 0, 0);
}

/* One completion is waited for at the ring's descriptor, which is readable while there are any (io_uring_setup(2)), but for the kind of ring whose
 * completions nobody finds unless he looks; the kernel alone knows how many there are, and waits for more itself. What was handed in is handed in at
 * once, and counts if the wait is interrupted; where that was less than asked for, nobody waits (io_uring/io_uring.c, io_uring_enter). */
static bool ring_numbered(const long a[6], long *r)
{
	enum { FIRST_LOOK = 1000000, LAST_LOOK = 100000000 };
	const int ring = (int)a[0];
	const unsigned flags = (unsigned)a[3];
	if (!patch_green() || a[2] != 1 || a[4] ||
	    (flags & ~(unsigned)IORING_ENTER_SQ_WAKEUP) != IORING_ENTER_GETEVENTS)
		return false;
	*r = real.syscall(SYS_io_uring_enter, ring, a[1], 0, flags, 0, 0);
	if (*r < 0 || *r != (long)(unsigned)a[1])
		return true;
	int saved = errno, wait = 0;
	for (int64_t look = FIRST_LOOK; !io_ready(ring, GEV_READABLE); look = look < LAST_LOOK ? 2 * look : look) {
		wait = patch_gev->fd_wait(ring, GEV_READABLE, io_after(look), GEV_PARK_INTERRUPTIBLE);
		if (wait == -EINTR && patch_interrupted(true) == 0)
			continue;
		if (wait < 0 && wait != -ETIMEDOUT)
			break;
		ring_look(ring);
		wait = 0;
	}
	errno = saved;
	if (wait < 0 && *r == 0)
		*r = minus_one(-wait);
	return true;
}

bool numbers_on_waits(long number, const long a[6], long *r)
{
	if (number == SYS_io_uring_enter)
		return ring_numbered(a, r);
	return on_descriptors(number, a, r) || on_events(number, a, r) || on_storage(number, a, r) ||
	       on_queues(number, a, r);
}
