/* One real thread for one wait. It lives as long as the wait: a thread kept for the next would hold up the end of a process
 * whose main has called pthread_exit. A wait that comes to this lasts, so what the thread costs is not what counts.
 *
 * As entry.c, this file must be compiled without -fexceptions. */
#include "shim/pthread/aside.h"

#include <linux/futex.h>
#include <signal.h>
#include <sys/syscall.h>

#include "shim/pthread/until.h"
#include "shim/signal/signals.h"

#ifdef __EXCEPTIONS
#error "aside.c needs -fno-exceptions"
#endif

/* The last that is done with *a: whoever waits for it may return, and *a with it. */
static void finish(void *arg)
{
	struct patch_aside *a = arg;
	__atomic_store_n(&a->done, true, __ATOMIC_SEQ_CST);
	patch_gev->lot_wake(arg, 1, 0);
}

static void *help(void *arg)
{
	struct patch_aside *a = arg;
	real.pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
	pthread_cleanup_push(finish, a);
	a->call(a);
	a->returned = true;
	pthread_cleanup_pop(1);
	return NULL;
}

void patch_aside_cancellable(bool yes)
{
	real.pthread_setcancelstate(yes ? PTHREAD_CANCEL_ENABLE : PTHREAD_CANCEL_DISABLE, NULL);
}

struct making {
	struct patch_aside *a;
	int result;
};

static void make(void *arg)
{
	struct making *m = arg;
	enum { STACK = 128 << 10 };
	pthread_attr_t attr;
	sigset_t all;
	m->result = pthread_attr_init(&attr);
	if (m->result)
		return;
	sigfillset(&all);
	pthread_attr_setsigmask_np(&attr, &all);
	pthread_attr_setstacksize(&attr, STACK);
	m->result = real.pthread_create(&m->a->helper, &attr, help, m->a);
	if (m->result == EINVAL) { /* more thread-local storage than that: then the usual size */
		pthread_attr_destroy(&attr);
		pthread_attr_init(&attr);
		pthread_attr_setsigmask_np(&attr, &all);
		m->result = real.pthread_create(&m->a->helper, &attr, help, m->a);
	}
	pthread_attr_destroy(&attr);
}

static bool pending(void *arg)
{
	return !__atomic_load_n((bool *)arg, __ATOMIC_SEQ_CST);
}

static int wait_done(struct patch_aside *a, unsigned flags)
{
	int r;
	do
		r = patch_gev->lot_wait(a, pending, NULL, &a->done, GEV_NEVER, flags, NULL);
	while (r == 0);
	return r == -EAGAIN ? 0 : r;
}

int patch_aside(struct patch_aside *a, unsigned flags)
{
	struct making m = {.a = a};
	a->done = a->returned = false;
	patch_as_os_thread(make, &m);
	if (m.result)
		return -EAGAIN;
	int r = wait_done(a, flags);
	if (r) {
		real.pthread_cancel(a->helper);
		patch_ticks_again(); /* libc has taken the number for itself */
		wait_done(a, GEV_PARK_PLAIN);
	}
	real.pthread_detach(a->helper);
	return a->returned ? 0 : r;
}

/* ---- A system call ---- */

struct call {
	struct patch_aside aside;
	long number;
	const long *arguments;
	long result;
};

static void make_call(struct patch_aside *a)
{
	struct call *c = (struct call *)(void *)a;
	const long *of = c->arguments;
	/* A plain system call is no cancellation point, and nothing is lost in the midst of it. */
	real.pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
	patch_aside_cancellable(true);
	long r = real.syscall(c->number, of[0], of[1], of[2], of[3], of[4], of[5]);
	patch_aside_cancellable(false);
	c->result = r < 0 ? -errno : r;
}

int patch_aside_syscall(long number, const long arguments[6], unsigned flags, long *result)
{
	struct call c = {.aside.call = make_call, .number = number, .arguments = arguments};
	int r = patch_aside(&c.aside, flags);
	*result = c.result;
	return r;
}

int patch_aside_futex(uint32_t *word, uint32_t expected, uint32_t bits, int64_t deadline, unsigned flags)
{
	int64_t at = deadline > 0 ? deadline : 0;
	struct timespec until = {.tv_sec = at / PATCH_NS, .tv_nsec = at % PATCH_NS};
	const long arguments[6] = {(long)word, FUTEX_WAIT_BITSET, expected, deadline == GEV_NEVER ? 0 : (long)&until, 0,
				   bits};
	long result;
	int r = patch_aside_syscall(SYS_futex, arguments, flags, &result);
	return r ? r : result == -ETIMEDOUT ? -ETIMEDOUT : 0;
}
