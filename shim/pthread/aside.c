/* One real thread for one wait. It lives as long as the wait: a thread kept for the next would hold up the end of a process
 * whose main has called pthread_exit. A wait that comes to this lasts, so what the thread costs is not what counts.
 *
 * As entry.c, this file must be compiled without -fexceptions. */
#include "shim/pthread/aside.h"

#include <linux/futex.h>
#include <signal.h>
#include <sys/syscall.h>

#include "shim/libc/kernel.h"
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
	a->returned = !a->undone;
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
	m->result = patch_create_real(&m->a->helper, &attr, help, m->a);
	if (m->result == EINVAL) { /* more thread-local storage than that: then the usual size */
		pthread_attr_destroy(&attr);
		pthread_attr_init(&attr);
		pthread_attr_setsigmask_np(&attr, &all);
		m->result = patch_create_real(&m->a->helper, &attr, help, m->a);
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

/* Handlers run afterwards: by the caller, who has to know that they ran (-EINTR), or here. */
static void cut_and_wait(struct patch_aside *a, int why)
{
	bool ours = patch_signals_ours();
	if (ours) {
		patch_sig.looking = true;
		patch_settle(&patch_sig);
	}
	if (a->cut)
		a->cut(a);
	else
		real.pthread_cancel(a->helper);
	patch_ticks_again(); /* libc has taken the number for itself */
	wait_done(a, GEV_PARK_PLAIN);
	if (ours)
		patch_sig.looking = false;
	if (a->returned || why != -EINTR)
		patch_interrupted(true);
}

int patch_aside(struct patch_aside *a, unsigned flags)
{
	struct making m = {.a = a};
	a->done = a->returned = a->undone = false;
	patch_as_os_thread(make, &m);
	if (m.result)
		return -EAGAIN;
	int r = wait_done(a, flags);
	if (r)
		cut_and_wait(a, r);
	real.pthread_detach(a->helper);
	return a->returned ? 0 : r;
}

/* ---- A system call, cut off exactly ---- */

struct cuttable {
	struct patch_aside aside;
	const long *args;
	long result;
	int tid; /* atomic: the helper's; 0: not known yet */
	int cut; /* atomic */
};

/* To the end of the thread: the signal may come late. */
static __thread bool cuttable_here;

static void make_call(struct patch_aside *a)
{
	struct cuttable *c = (struct cuttable *)(void *)a;
	cuttable_here = true;
	__atomic_store_n(&c->tid, (int)kernel_call6(SYS_gettid, 0, 0, 0, 0, 0, 0), __ATOMIC_SEQ_CST);
	c->result = patch_cuttable_call(&c->cut, a->number, c->args);
	a->undone = c->result == -EINTR && __atomic_load_n(&c->cut, __ATOMIC_SEQ_CST);
}

/* Either the helper sees the mark before its call, or its number is known here. */
static void cut_off(struct patch_aside *a)
{
	struct cuttable *c = (struct cuttable *)(void *)a;
	__atomic_store_n(&c->cut, 1, __ATOMIC_SEQ_CST);
	patch_ticks_again(); /* ours must be the handler */
	int tid = __atomic_load_n(&c->tid, __ATOMIC_SEQ_CST);
	if (tid)
		kernel_call6(SYS_tgkill, getpid(), tid, SIG_CANCEL, 0, 0, 0);
}

bool patch_aside_cut_here(ucontext_t *context)
{
	if (likely(!cuttable_here))
		return false;
	patch_cuttable_leave(context);
	return true;
}

int patch_aside_syscall(long number, const long args[6], unsigned flags, long *result)
{
	struct cuttable c = {.aside = {.number = number, .call = make_call, .cut = cut_off}, .args = args};
	int r = patch_aside(&c.aside, flags & GEV_ON_KIND ? flags : flags | GEV_ON_CALL);
	*result = c.result;
	return r;
}

/* ---- A word ---- */

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
