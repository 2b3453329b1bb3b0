/* gev/embed.h: the one door through which a shim (libpatch.so) drives the runtime.
 *
 * For whom: code that sits between an unmodified program and libc, and needs to park and wake
 * that program's threads. An ordinary C program wants <gev/gev.h> instead.
 *
 * Conventions: every function returns 0 (or a count) or -errno and never sets errno. Times are absolute
 * CLOCK_MONOTONIC nanoseconds; GEV_NEVER never comes. Nothing here may be called from a signal handler
 * except where it says so. "The caller's greenlet" is the greenlet that runs on this OS thread.
 *
 * How it is reached: dlsym("gev_embed_v1") gives `const struct gev_embed *(*)(void)`. The name
 * carries the version of this page: a library that lacks it is another version, and the shim then lets everything pass
 * through with one message. `size` is the size of the table, so that a newer library can append.
 */
#ifndef GEV_EMBED_H
#define GEV_EMBED_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <gev/base.h>

#ifdef __cplusplus
extern "C" {
#endif

#define GEV_NEVER INT64_MAX

/* Flags of park, lot_wait, fd_wait, fds_wait and sleep_until. */
enum {
	GEV_PARK_PLAIN = 0,
	GEV_PARK_KILLABLE = 1, /* a kill (or a cancellation) ends the wait with -ECANCELED */
	GEV_FD_OPEN = 2, /* fd_wait: the caller's last call on fd has just shown that it is open, so do not ask again */
	GEV_PARK_INTERRUPTIBLE = 4, /* a signal (interrupt) ends the wait with -EINTR */
	GEV_FD_SOCKET = 1 << 16,    /* fd_wait: fd is a socket if it is open, which then is asked for less */
};

/* What fd_poll says when the kernel has to be asked: outside the bits of poll(2). */
enum { GEV_FD_ASK = 1 << 16 };

/* Flags of lot_wait too: what the address is the name of. Only for those who look at the program from outside. */
enum {
	GEV_ON_KIND = 0xff00,
	GEV_ON_GREENLET = 0x100, /* the control block of a greenlet whose end is awaited */
	GEV_ON_THREAD = 0x200,   /* something in the thread-local storage of the thread whose end is awaited */
	GEV_ON_MUTEX = 0x300,    /* a pthread_mutex_t, whose __owner is true */
	GEV_ON_COND = 0x400,
	GEV_ON_SEM = 0x500,
	GEV_ON_RWLOCK = 0x600, /* a pthread_rwlock_t, whose __cur_writer is true */
	GEV_ON_BARRIER = 0x700,
	GEV_ON_ONCE = 0x800,
	GEV_ON_FUTEX = 0x900,
	GEV_ON_RWLOCK_WRITER = 0xa00, /* 8 bytes above one */
	GEV_ON_CALL = 0xc00,          /* a long: the number of a system call that a real thread makes */
	GEV_ON_QUEUE = 0xd00,         /* a gev_queue, or its count of work that is not done */
	GEV_ON_CHILD = 0xb00,         /* nothing that lies there: what a child of the process does is awaited */
};

struct gev_greenlet;

/* How a green thread is to be made. Zeroed means: defaults. */
struct gev_thread_attr {
	const char *name;  /* copied; NULL: "thread-N" */
	size_t stack_size; /* bytes, rounded up to pages; 0: the default (RLIMIT_STACK, as glibc does) */
	size_t guard_size; /* bytes, rounded up to pages; a stack always has at least one guard page */
	void *stack;       /* the caller's own stack, lowest address, or NULL; then stack_size is its size */
	bool suspended;    /* not queued: thread_start puts it into the ready queue */
};

/* A stack as pthread_getattr_np would describe it: [base, base + size), guard below base. */
struct gev_stack_info {
	void *base;
	size_t size;
	size_t guard;
};

/* One descriptor that fds_wait watches. `events` are GEV_READABLE | GEV_WRITABLE; for poll masks that
 * these cannot say (POLLPRI, POLLRDHUP), set `poll_events` to the poll(2) mask instead and leave `events` 0. */
struct gev_fd_want {
	int fd;
	short events;
	short poll_events;
};

#ifdef POLLRDNORM /* poll.h: for those who define _GNU_SOURCE or _XOPEN_SOURCE */
/* What poll(2) would be asked, as wants, of which there must be room for n; how many they are. */
static inline size_t gev_fd_wants(struct gev_fd_want *want, const struct pollfd *fds, size_t n)
{
	const short in = POLLIN | POLLRDNORM, out = POLLOUT | POLLWRNORM;
	size_t k = 0;
	for (size_t i = 0; i < n; i++) {
		short e = fds[i].events;
		if (fds[i].fd < 0)
			continue;
		want[k].fd = fds[i].fd;
		want[k].events = want[k].poll_events = 0;
		if (e == 0 || e & ~(in | out))
			want[k].poll_events = (short)(e ? e : POLLERR | POLLHUP);
		else
			want[k].events = (short)((e & in ? GEV_READABLE : 0) | (e & out ? GEV_WRITABLE : 0));
		k++;
	}
	return k;
}

/* Whether p asks for nothing but what can be read: where a read has taken all there was, a wait for it need not begin with a look. */
static inline bool gev_poll_reads_only(const struct pollfd *p)
{
	return !(p->events & (POLLOUT | POLLWRNORM | POLLWRBAND));
}

/* The revents that fd_poll has answered with; 0: the kernel has to be asked. */
static inline short gev_poll_answer(int r)
{
	return r > 0 && r != GEV_FD_ASK ? (short)r : 0;
}
#endif

/* What the runtime asks of a shim that brings signals to greenlets. None of them may park. */
struct gev_signal_hooks {
	/* After attend(): on the hub's OS thread, soon, between greenlets. May wake, kill and interrupt. */
	void (*attend)(void);
	/* The caller's greenlet has just been switched to, and runs as itself. Called only while arrivals(true) holds. */
	void (*arrive)(void);
	/* The hub looks outside now, perhaps for long. Called only while arrivals(true) holds. */
	void (*idle)(void);
	/* The caller's greenlet was interrupted in a wait that no signal ends: what its handlers do is done here. This one may park. */
	void (*handle)(void);
};

/* What is counted of a greenlet. */
struct gev_watch_self {
	uint32_t id;
	char name[16];
	uint64_t ran;      /* nanoseconds until now */
	uint64_t switches; /* how often it has stopped running */
	uint64_t parks;    /* and how often of these because it waited */
};

/* How often a function was called whose calls the shim does not make cooperative, while others were ready to run. */
struct gev_watch_count {
	const char *name;
	const uint64_t *calls; /* atomic */
};

struct gev_embed {
	size_t size;

	/* ---- Life ------------------------------------------------------------------------------ */

	/* Makes the calling OS thread a hub's thread and its present flow of control the main greenlet.
	 * `original(name)` gives libc's own function of that name, or NULL; the runtime calls only those from then on.
	 * Again on the same thread: 0. -ENOMEM. */
	int (*start)(void *(*original)(const char *name));

	/* Whether green threads can have an identity (thread-local storage) of their own here. When not,
	 * the sentence why; the shim must then make real threads. NULL: they can. */
	const char *(*no_identity)(void);

	/* ---- Who runs -------------------------------------------------------------------------- */

	/* The caller's greenlet; NULL on an OS thread without a hub, and while the hub itself runs
	 * (libev callbacks, slots): there the original call must be made. Async-signal-safe. */
	struct gev_greenlet *(*self)(void);

	/* As self(), but also NULL when no other greenlet of this hub exists: a wait for a descriptor
	 * or for time may then be the original blocking call. Async-signal-safe. */
	struct gev_greenlet *(*self_if_others)(void);

	/* ---- Green threads ------------------------------------------------------------------------ */

	/* A greenlet with an identity of its own, on the caller's hub, runs entry(arg). `entry` must not
	 * return before it has let go of everything that lies in its TLS. The result is held by the caller until thread_free.
	 * A watcher names the thread by the function at `arg`. *tp receives the value of pthread_self() in the new thread.
	 * -EAGAIN: no memory for stack or identity. -EPERM: not on a greenlet. */
	int (*thread_new)(const struct gev_thread_attr *attr, void (*entry)(void *arg), void *arg,
			  struct gev_greenlet **out, void **tp);
	void (*thread_start)(struct gev_greenlet *g);
	/* Gives stack, identity and control block back: at once if g has ended (its entry returned), else when it ends.
	 * Neither g nor anything in its TLS may be used by the caller afterwards. Any thread of g's hub. */
	void (*thread_free)(struct gev_greenlet *g);
	/* Ends the calling green thread where it stands, without unwinding; its `entry` never returns. As if entry had returned.
	 * On the main greenlet: parks for ever and lets the others go on. */
	void (*thread_exit)(void) __attribute__((noreturn));
	/* What pthread_self() says in g. */
	void *(*thread_pointer)(const struct gev_greenlet *g);
	void (*thread_stack)(const struct gev_greenlet *g, struct gev_stack_info *out);
	/* How many greenlets of the caller's hub have not ended, main included. */
	size_t (*thread_count)(void);

	/* ---- One way to wait ------------------------------------------------------------------------ */

	/* Takes the caller's greenlet off until woken. 0: woken (perhaps for nothing: always loop on your own condition).
	 * -ETIMEDOUT: the deadline passed. -ECANCELED: killed, with GEV_PARK_KILLABLE only. -EINTR: interrupted, with GEV_PARK_INTERRUPTIBLE only.
	 * A wake that came before the park makes it return 0 at once. Greenlets only. */
	int (*park)(int64_t deadline, unsigned flags);
	/* Makes g ready. Same hub, another hub, a plain OS thread: all may. g must not have been freed. */
	void (*wake)(struct gev_greenlet *g);
	/* Sets or clears g's killed mark. While it is set, every wait of g with GEV_PARK_KILLABLE ends at once with -ECANCELED; setting it
	 * ends the one it is in. g must not have been freed. Any thread. */
	void (*kill)(struct gev_greenlet *g, bool killed);
	/* Lets every ready greenlet run once, then goes on. 0, also when there is no other. */
	void (*yield)(void);
	/* Sleeps until the deadline. 0, -ECANCELED or -EINTR, as park; -ETIMEDOUT: a gev_timeout around it has fired. Greenlets only. */
	int (*sleep_until)(int64_t deadline, unsigned flags);

	/* The parking lot: a futex in user space, for greenlets AND plain OS threads (these sleep on a real futex).
	 * lot_wait queues the caller under `addr`, FIFO. Under the bucket's lock it calls validate(arg): false means
	 * "do not wait" and gives -EAGAIN. Once queued, and no longer locked, it calls before_sleep(arg) (may be NULL;
	 * e.g. unlock a mutex; it may itself wake others), then sleeps. A wake between the two is not lost.
	 * 0: woken by lot_wake, *token (if not NULL) receives the waker's token.
	 * -EAGAIN: validate said no. -ETIMEDOUT. -ECANCELED (GEV_PARK_KILLABLE). -EINTR (GEV_PARK_INTERRUPTIBLE).
	 * Never returns 0 without a lot_wake that chose this waiter. `addr` is only a name: it is not read, and the
	 * object may be gone as soon as the waiter has been chosen. */
	int (*lot_wait)(const void *addr, bool (*validate)(void *arg), void (*before_sleep)(void *arg), void *arg,
			int64_t deadline, unsigned flags, uintptr_t *token);
	/* Wakes up to n of the longest waiters under addr with the token; how many it woke. Any thread. */
	int (*lot_wake)(const void *addr, int n, uintptr_t token);
	/* Wakes the longest waiter. Under the bucket's lock, before the waiter can run, calls
	 * decide(arg, woken, more) and gives its result to the waiter as token: woken says whether there was one,
	 * more whether others still wait. For an unlock that must change the word atomically with the queue. Any thread. */
	int (*lot_wake_one)(const void *addr, uintptr_t (*decide)(void *arg, bool woken, bool more), void *arg);
	/* Wakes up to n_wake waiters under `from`, and moves up to n_move of the rest to the end of the queue under `to`.
	 * Returns woken + moved. Under the locks of both buckets validate(arg) is called first: false gives -EAGAIN. */
	int (*lot_requeue)(const void *from, const void *to, int n_wake, int n_move, bool (*validate)(void *arg),
			   void *arg, uintptr_t token);

	/* ---- Descriptors ------------------------------------------------------------------------------ */

	/* Parks until fd is ready in one of the ways in `events` (one or both). Many may wait on one fd.
	 * > 0: which; a hint: try the call, and wait again on EAGAIN. -ETIMEDOUT, -ECANCELED, -EINTR, -EBADF (fd is not open, or
	 * another greenlet closed it meanwhile), -ENOMEM. -ELOOP: an epoll descriptor, nested too deep to be watched. A descriptor that epoll cannot watch (a regular file) is ready at once; a caller must bear -EPERM too. */
	int (*fd_wait)(int fd, int events, int64_t deadline, unsigned flags);
	/* Parks until one of n descriptors is ready: the number that are, 0 when the deadline passed, -ETIMEDOUT when a gev_timeout around it
	 * fired, -ECANCELED, -EINTR, -EBADF if one was closed meanwhile, -ENOMEM, -ELOOP as fd_wait. Descriptors that epoll cannot watch count as ready; entries with fd < 0 never
	 * are. A hint again: ask the kernel with a zero timeout afterwards. */
	int (*fds_wait)(const struct gev_fd_want *want, size_t n, int64_t deadline, unsigned flags);
	/* Must be called BEFORE a descriptor number is closed or replaced (close, dup2's target, close_range), from whatever OS thread does that:
	 * its waiters on every hub return -EBADF, and its watchers are taken out of the kernel's sets. Afterwards, done or failed, fd_closed of
	 * the same number must follow; who begins a wait between is told that it is ready, a moment later, and asks the kernel. Cheap for an
	 * fd nobody ever waited on. */
	void (*fd_closing)(int fd);
	/* As fd_closing for every fd in [first, last]. */
	void (*fds_closing)(unsigned first, unsigned last);
	/* Whether fd belongs to the runtime: the program must not reach it (its close gives EBADF). Async-signal-safe. */
	bool (*fd_internal)(int fd);
	/* The lowest such descriptor that is >= fd; -1: none. For close_range, which must step over them. Async-signal-safe. */
	int (*fd_internal_next)(int fd);

	/* ---- Fork --------------------------------------------------------------------------------------- */

	/* Around the real fork, in the forking thread: before it; after it in the parent; after it in the child. In the child
	 * only the caller's greenlet is left, and it is the main greenlet; everything else of the runtime is made anew. */
	void (*fork_prepare)(void);
	void (*fork_parent)(void);
	void (*fork_child)(void);

	/* ---- Signals and time slices ---------------------------------------------------------------------- */

	/* Once, on the hub's OS thread. */
	void (*signal_hooks)(const struct gev_signal_hooks *hooks);
	/* Whether arrive and idle are called. */
	void (*arrivals)(bool wanted);
	/* Sets or clears g's interrupted mark. While it is set, every wait of g with GEV_PARK_INTERRUPTIBLE ends at once with -EINTR, and
	 * lot_wait without that flag calls the hook `handle`, which must clear it; so does any lot_wait that was woken all the same. Setting it ends the one it is in. g must not have been freed.
	 * True: g waits just now. Async-signal-safe on g's OS thread while busy() says no, and on others (there always false). */
	bool (*interrupt)(struct gev_greenlet *g, bool interrupted);
	/* The hook attend will be called, also if the hub sleeps just now. Async-signal-safe, any thread. */
	void (*attend)(void);
	/* Whether the caller, a signal handler, has interrupted the hub or a stretch of the runtime that must not be entered again.
	 * That the interrupted instruction itself lies in the runtime's code, only the caller can see. Async-signal-safe. */
	bool (*busy)(void);
	/* From a signal handler that has interrupted the program's own code, while busy() says no: looks at descriptors and timers, lets
	 * every ready greenlet run once, then returns. */
	void (*preempt)(void);
	/* By +1 and -1: while the sum is positive, self_if_others says NULL: a stretch in which nothing may switch. Async-signal-safe. */
	void (*pin)(int by);
	/* fd becomes one that fd_internal knows, or no longer is one. */
	void (*fd_claim)(int fd);
	void (*fd_disclaim)(int fd);

	/* ---- Faults ------------------------------------------------------------------------------------- */

	/* For the handler of SIGSEGV (the runtime installs none once start() was called): if the fault is the caller's greenlet running over the end of
	 * its stack, says so on standard error, with its name; whether it was. `info` (a siginfo_t) and `context` are the handler's second and third argument.
	 * Async-signal-safe. */
	bool (*overflow)(const void *info, const void *context);

	/* ---- Descriptors, again -------------------------------------------------------------------------- */

	/* After the real close that fd_closing or fds_closing, with the same arguments, has announced. Any thread. */
	void (*fd_closed)(int fd);
	void (*fds_closed)(unsigned first, unsigned last);
	/* Calls f for every greenlet of the caller's hub that has not ended, main apart, until it says false. f must not make or end any. */
	void (*each)(bool (*f)(struct gev_greenlet *g, void *arg), void *arg);

	/* ---- For those who look on -------------------------------------------------------------------------- */

	/* What the greenlet is called from now on; copied, 15 bytes of it. */
	void (*thread_name)(struct gev_greenlet *g, const char *name);
	/* Whether the handler that the kernel has for that signal is the runtime's own, and is to stay (GEV_DUMP). */
	bool (*signal_own)(int sig);
	/* The caller's greenlet, as it is counted. False: nobody counts, or the caller is none. */
	bool (*watch_self)(struct gev_watch_self *out);
	/* How many greenlets of the caller's hub are ready to run, he himself apart; 0 on other threads. */
	size_t (*ready_count)(void);
	/* Statistics shall show these counts too. The array and what it points to stay the caller's, and stay. */
	void (*watch_counts)(const struct gev_watch_count *counts, size_t n);

	/* As lot_wake_one with arg = addr, for signal handlers, whatever they have interrupted: it never waits for a lock. If somebody holds the
	 * queue just now, it is done a moment later, when he lets go. Async-signal-safe. */
	void (*lot_wake_one_async)(const void *addr, uintptr_t (*decide)(void *arg, bool woken, bool more));
	/* The earliest deadline of the caller's hub; GEV_NEVER: nobody has one. Async-signal-safe while busy() says no. */
	int64_t (*deadline)(void);
	/* Changes whenever a greenlet of the caller's hub is switched to: who finds it unchanged has run ever since. Async-signal-safe. */
	uint32_t (*turn)(void);

	/* ---- What only a real thread can wait for ------------------------------------------------------------ */

	/* fn(arg) on one of a few real threads (GEV_OFFLOAD_THREADS), while the caller's greenlet is parked until it has returned: nothing cuts it off.
	 * fn may call neither this table nor the program. host: the name that it looks up, for those who look on; NULL: it does something else.
	 * 0. -EAGAIN: no thread for it; fn was not called. Greenlets only. */
	int (*offload)(void (*fn)(void *arg), void *arg, const char *host);
	/* The same for an fn that is over soon, as a transfer with a disk is: it goes before the others. -EAGAIN also where all threads are at something that
	 * may last. */
	int (*offload_brief)(void (*fn)(void *arg), void *arg);

	/* ---- Descriptors, once more -------------------------------------------------------------------------- */

	/* As fds_wait for one descriptor, with the events of poll(2) in `mask`, and what the kernel has said of it, if that can be known without asking again:
	 * > 0: the revents of poll(2), or GEV_FD_ASK: poll with a zero timeout has to be asked. 0 and negative: as fds_wait. */
	int (*fd_poll)(int fd, int mask, int64_t deadline, unsigned flags);
};

#ifdef GEV_BUILDING
#define GEV_EMBED_API __attribute__((visibility("default")))
#else
#define GEV_EMBED_API
#endif

GEV_EMBED_API const struct gev_embed *gev_embed_v1(void);

#ifdef __cplusplus
}
#endif
#endif
