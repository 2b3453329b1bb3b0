/* The watcher's thread.
 *
 * It has a descriptor table of its own: what it opens the program does not see and cannot close, and the numbers that the program gets are
 * those it would get without it. Of the program's descriptors it keeps none, or a connection that the program closes would stay open.
 * It blocks all signals; the one that asks for a dump is let in while it waits. */
#include "lib/watch/thread.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/sys.h"
#include "lib/core/deadlock.h"
#include "lib/watch/control.h"
#include "lib/watch/dump.h"
#include "lib/watch/monitor.h"
#include "lib/watch/outside.h"

static struct gev__watcher what;
static uint32_t listening; /* futex: 1 once it can be asked */

static void own_table(void)
{
	/* Kernel 5.9; before it the copy is made and then closed. */
	if (gev__sys.syscall(SYS_close_range, 0, ~0U, CLOSE_RANGE_UNSHARE, 0, 0, 0) != 0) {
		if (unshare(CLONE_FILES) != 0)
			gev__die("the watcher's thread cannot have a descriptor table of its own: %s", strerror(errno));
		long most = sysconf(_SC_OPEN_MAX);
		for (int fd = 0; fd < most; fd++)
			gev__sys.close(fd);
	}
	/* So that nothing else gets these three numbers. */
	for (int i = 0; i < 3; i++)
		gev__sys.syscall(SYS_openat, AT_FDCWD, (long)"/dev/null", O_RDWR, 0, 0, 0);
}

static void *watch(void *unused)
{
	own_table();
	prctl(PR_SET_NAME, "gev-watch");
	int listener = what.control ? gev__control_open() : -1;
	/* The kernel's mask has 64 bits; signals are numbered from 1. Those below SIGRTMIN are libc's own: setuid waits until each thread has had one. */
	enum { FIRST_INTERNAL = 32 };
	uint64_t mask = ~UINT64_C(0);
	for (int sig = FIRST_INTERNAL; sig < SIGRTMIN; sig++)
		mask &= ~(UINT64_C(1) << (sig - 1));
	if (what.dump_signal)
		mask &= ~(UINT64_C(1) << (what.dump_signal - 1));
	if (what.dump_signal)
		gev__dump_thread((pid_t)gev__sys.syscall(SYS_gettid, 0, 0, 0, 0, 0, 0));
	__atomic_store_n(&listening, 1, __ATOMIC_SEQ_CST);
	gev__sys.syscall(SYS_futex, (long)&listening, FUTEX_WAKE_PRIVATE, 1, 0, 0, 0);
	for (;;) {
		/* Before the wait too: one that was asked for when the thread had no number yet has woken nobody. */
		if (gev__dump_asked())
			gev__dump_write(what.dump_file);
		struct pollfd p = {.fd = listener, .events = POLLIN};
		struct timespec period = gev__timespec(what.monitor ? gev__monitor_period() : 0);
		long n = gev__sys.syscall(SYS_ppoll, (long)&p, 1, what.monitor ? (long)&period : 0, (long)&mask,
					  sizeof mask, 0);
		if (n > 0 && p.revents)
			gev__control_serve(listener);
		if (what.monitor)
			gev__monitor_look();
	}
	return NULL;
}

void gev__watcher_start(const struct gev__watcher *how)
{
	what = *how;
	listening = 0;
	/* A shim that stands before libc would make a greenlet of it. */
	int (*create)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *) =
		(int (*)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *))dlsym(RTLD_NEXT,
											       "pthread_create");
	pthread_t id;
	pthread_attr_t attr;
	sigset_t all;
	sigfillset(&all);
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attr, 1 << 20);
	pthread_attr_setsigmask_np(&attr, &all);
	int r = create ? create(&id, &attr, watch, NULL) : ENOSYS;
	pthread_attr_destroy(&attr);
	if (r) {
		gev__warn("no thread for the watcher: %s", strerror(r));
		return;
	}
	/* It wakes nobody. */
	__atomic_add_fetch(&gev__helper_threads, 1, __ATOMIC_RELAXED);
	/* Whoever hears from a greenlet of this program can ask about it. But nothing waits here for ever. */
	struct timespec patience = {.tv_sec = 30};
	while (__atomic_load_n(&listening, __ATOMIC_SEQ_CST) == 0)
		if (gev__sys.syscall(SYS_futex, (long)&listening, FUTEX_WAIT_PRIVATE, 0, (long)&patience, 0, 0) != 0 &&
		    errno == ETIMEDOUT)
			break;
}
