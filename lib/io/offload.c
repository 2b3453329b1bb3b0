/* The offload: a queue of jobs, and a few real threads that take them.
 *
 *      QUEUED --a thread takes it--> RUNNING --fn returns--> DONE
 *         \--its greenlet gives up--> gone       \--its greenlet gives up--> LEFT --fn returns--> dropped by the thread
 *
 * Jobs that are over soon go before those that may last (a name that no server answers), and are refused where they would have to wait for such: so
 * while one of them is queued, a thread is free, or has another of them in hand and takes this one next.
 *
 * Every change of state happens under the pool's lock, but for DONE: that is set under the lock of the waiter's queue in the parking lot, and after it
 * the thread does not touch the job, which may be gone.
 * Threads are made as the OS thread itself: libc's pthread_create reads the thread block of its caller, and a greenlet's is not a thread's. */
#include "lib/io/offload.h"

#include <gev/offload.h>

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/prctl.h>

#include "gev/embed.h"
#include "lib/base/clock.h"
#include "lib/base/lock.h"
#include "lib/base/options.h"
#include "lib/base/result.h"
#include "lib/base/sys.h"
#include "lib/context/thread-pointer.h"
#include "lib/core/deadlock.h"
#include "lib/core/hub.h"
#include "lib/core/lot.h"
#include "lib/core/park.h"

#define IDLE_NS (5 * NS_PER_S)

enum state { QUEUED, RUNNING, ENDING, LEFT, DONE };

struct job {
	struct gev__job seen; /* first: observers look for it there */
	struct job *next;
	struct job **link;
	void *arg;
	void *value;
	void (*drop)(void *arg, void *value);
	int error;        /* fn's errno */
	enum state state; /* atomic: who waits looks without the pool's lock */
	bool apart;       /* malloc's, and may be left */
	bool brief;       /* it does not last */
};

static enum state state_of(const struct job *j)
{
	return __atomic_load_n(&j->state, __ATOMIC_RELAXED);
}

static void set_state(struct job *j, enum state state)
{
	__atomic_store_n(&j->state, state, __ATOMIC_RELAXED);
}

static struct pool {
	struct gev__lock lock;
	struct lane {
		struct job *first;
		struct job **last;
	} brief, long_;
	int queued; /* atomic */
	int idle;
	int threads;
	int at_long; /* threads that have one in hand that may last; all others come to the queue soon */
} pool = {.brief.last = &pool.brief.first, .long_.last = &pool.long_.first};

/* A signal handler that interrupts the holder must not come back here. */
static void lock(void)
{
	struct gev__hub *h = gev__hub_here();
	if (h)
		h->busy++;
	gev__lock(&pool.lock);
}

static void unlock(void)
{
	struct gev__hub *h = gev__hub_here();
	gev__unlock(&pool.lock);
	if (h)
		h->busy--;
}

/* ---- The queue; the pool is locked ---- */

static struct lane *lane_of(const struct job *j)
{
	return j->brief ? &pool.brief : &pool.long_;
}

static void append(struct job *j)
{
	struct lane *lane = lane_of(j);
	j->next = NULL;
	j->link = lane->last;
	*lane->last = j;
	lane->last = &j->next;
	__atomic_store_n(&pool.queued, pool.queued + 1, __ATOMIC_SEQ_CST);
}

/* Whether there is a thread that takes a brief job soon. */
static bool has_prompt(void)
{
	return pool.threads > pool.at_long;
}

/* One that has nothing to do wakes nobody: it does not stand against a deadlock. */
static void count_threads(int by)
{
	pool.threads += by;
	__atomic_add_fetch(&gev__helper_threads, by, __ATOMIC_RELAXED);
}

static void take_off(struct job *j)
{
	*j->link = j->next;
	if (j->next)
		j->next->link = j->link;
	else
		lane_of(j)->last = j->link;
	__atomic_store_n(&pool.queued, pool.queued - 1, __ATOMIC_SEQ_CST);
}

/* ---- The threads ---- */

static uintptr_t set_done(void *arg, bool woken, bool more)
{
	struct job *j = arg;
	__atomic_store_n(&j->state, DONE, __ATOMIC_RELEASE);
	return 0;
}

static void finish(struct job *j)
{
	lock();
	bool left = state_of(j) == LEFT;
	pool.at_long -= !j->brief;
	if (!left)
		set_state(j, ENDING);
	unlock();
	if (!left) {
		gev__lot_wake_one(j, set_done, j);
		return;
	}
	if (j->drop)
		j->drop(j->arg, j->value);
	free(j);
}

static bool nothing_queued(void *arg)
{
	return __atomic_load_n(&pool.queued, __ATOMIC_SEQ_CST) == 0;
}

/* The next job; NULL: this thread is not needed any more, and is not counted. */
static struct job *next_job(void)
{
	int64_t until = gev__now() + IDLE_NS;
	for (;;) {
		lock();
		struct job *j = pool.brief.first ? pool.brief.first : pool.long_.first;
		if (j) {
			take_off(j);
			pool.at_long += !j->brief;
			set_state(j, RUNNING);
			__atomic_store_n(&j->seen.begun, true, __ATOMIC_RELAXED);
			unlock();
			return j;
		}
		if (gev__now() >= until) {
			count_threads(-1);
			unlock();
			return NULL;
		}
		pool.idle++;
		unlock();
		gev__lot_wait(&pool, nothing_queued, NULL, NULL, until, 0, NULL);
		lock();
		pool.idle--;
		unlock();
	}
}

static void *work(void *arg)
{
	struct job *j;
	prctl(PR_SET_NAME, "gev-offload"); /* so that whoever counts a program's threads can tell (proc(5), comm) */
	while ((j = next_job()) != NULL) {
		errno = 0;
		if (j->seen.is_plain)
			j->seen.plain(j->arg);
		else
			j->value = j->seen.fn(j->arg);
		j->error = errno;
		finish(j);
	}
	return NULL;
}

/* noinline: no address of a thread-local variable may be carried across the change of the thread pointer. */
static __attribute__((noinline)) int make_thread(void)
{
	pthread_attr_t attr;
	pthread_t id;
	sigset_t all;
	sigfillset(&all);
	int r = pthread_attr_init(&attr);
	if (r)
		return -r;
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setsigmask_np(&attr, &all);
	r = gev__sys.pthread_create(&id, &attr, work, NULL);
	pthread_attr_destroy(&attr);
	return -r;
}

static int make_as_os_thread(void)
{
	struct gev__hub *h = gev__hub_here();
	void *own = gev__tp_get(), *os = h ? h->main.context.tp : own;
	if (own == os)
		return make_thread();
	h->busy++;
	gev__tp_set(os);
	int r = make_thread();
	gev__tp_set(own);
	h->busy--;
	return r;
}

/* After an append. -EAGAIN: there is no thread at all, or for a brief job none that comes to it soon, and none can be made. */
static int see_to_it(const struct job *j)
{
	lock();
	bool more = pool.queued > pool.idle && pool.threads < gev__options()->offload_threads;
	if (more)
		count_threads(1);
	unlock();
	if (!more) {
		gev__lot_wake(&pool, 1, 0);
		return 0;
	}
	if (make_as_os_thread() == 0)
		return 0;
	lock();
	count_threads(-1);
	bool none = pool.threads == 0 || (j->brief && !has_prompt());
	unlock();
	return none ? -EAGAIN : 0;
}

/* ---- The greenlets ---- */

static bool not_done(void *arg)
{
	struct job *j = arg;
	return __atomic_load_n(&j->state, __ATOMIC_ACQUIRE) != DONE;
}

enum left { NOT_RUN, GOES_ON, STAYS };

/* The wait is over before the job is. */
static enum left give_up(struct job *j)
{
	enum left left = STAYS;
	lock();
	if (state_of(j) == QUEUED) {
		take_off(j);
		left = NOT_RUN;
	} else if (j->apart && state_of(j) == RUNNING) {
		set_state(j, LEFT);
		left = GOES_ON;
	}
	unlock();
	return left;
}

static enum left wait_for(struct job *j, int64_t deadline, unsigned flags, int *r)
{
	flags |= GEV__PARK_OUTSIDE | GEV__ON_JOB;
	while (not_done(j)) {
		*r = gev__lot_wait(j, not_done, NULL, j, deadline, flags, NULL);
		if (*r == 0 || *r == -EAGAIN)
			continue;
		enum left left = give_up(j);
		if (left != STAYS)
			return left;
		/* It runs, and is to be waited for. */
		deadline = NEVER;
		flags = GEV__PARK_OUTSIDE | GEV__ON_JOB;
	}
	*r = 0;
	return STAYS;
}

static enum left run(struct job *j, int64_t deadline, unsigned flags, int *r)
{
	lock();
	bool refused = j->brief && !has_prompt() && pool.threads >= gev__options()->offload_threads;
	if (!refused)
		append(j);
	unlock();
	if (refused) {
		*r = -EAGAIN;
		return NOT_RUN;
	}
	*r = see_to_it(j);
	if (*r == 0)
		return wait_for(j, deadline, flags, r);
	lock();
	bool queued = state_of(j) == QUEUED;
	if (queued)
		take_off(j);
	unlock();
	return queued ? NOT_RUN : wait_for(j, deadline, flags, r); /* somebody's thread has come and taken it */
}

static int offload(void *(*fn)(void *), void *arg, int64_t deadline, void **value)
{
	struct job j = {.seen = {.fn = fn}, .arg = arg};
	int r;
	if (run(&j, deadline, GEV_PARK_KILLABLE, &r) != STAYS)
		return r;
	if (value)
		*value = j.value;
	errno = j.error;
	return 0;
}

static int begin(void *(*fn)(void *), double timeout, int64_t *deadline)
{
	if (fn == NULL)
		return -EINVAL;
	int r = gev__kill_point();
	return r < 0 ? r : gev__deadline(timeout, deadline);
}

int gev_offload(void *(*fn)(void *arg), void *arg, double timeout, void **value)
{
	int64_t deadline;
	int r = begin(fn, timeout, &deadline);
	if (r == 0 && gev__hub_here() == NULL) {
		void *v = fn(arg);
		if (value)
			*value = v;
		return 0;
	}
	return (int)gev__result(r < 0 ? r : offload(fn, arg, deadline, value));
}

int gev__offload_apart(void *(*fn)(void *arg), void *arg, const char *host, void (*drop)(void *arg, void *value),
		       int64_t deadline, void **value)
{
	struct job *j = malloc(sizeof *j);
	if (j == NULL) {
		if (drop)
			drop(arg, NULL);
		return -ENOMEM;
	}
	*j = (struct job){.seen = {.fn = fn, .host = host}, .arg = arg, .drop = drop, .apart = true};
	int r = 0, error = 0;
	if (gev__hub_here() == NULL) {
		j->value = fn(arg);
		error = errno;
	} else {
		enum left left = run(j, deadline, GEV_PARK_KILLABLE, &r);
		if (left == GOES_ON)
			return r;
		error = j->error;
	}
	void *v = j->value;
	free(j);
	if (r == 0 && value)
		*value = v;
	if (drop)
		drop(arg, r == 0 && value ? NULL : v);
	if (r == 0)
		errno = error;
	return r;
}

int gev_offload_apart(void *(*fn)(void *arg), void *arg, void (*drop)(void *arg, void *value), double timeout,
		      void **value)
{
	int64_t deadline;
	int r = begin(fn, timeout, &deadline);
	if (r < 0) {
		if (drop)
			drop(arg, NULL);
		return (int)gev__result(r);
	}
	return (int)gev__result(gev__offload_apart(fn, arg, NULL, drop, deadline, value));
}

int gev__offload(void (*fn)(void *arg), void *arg, const char *host)
{
	struct job j = {.seen = {.plain = fn, .is_plain = true, .host = host}, .arg = arg};
	int r;
	run(&j, NEVER, GEV_PARK_PLAIN, &r);
	return r;
}

int gev__offload_brief(void (*fn)(void *arg), void *arg)
{
	struct job j = {.seen = {.plain = fn, .is_plain = true}, .arg = arg, .brief = true};
	int r;
	run(&j, NEVER, GEV_PARK_PLAIN, &r);
	return r;
}

void gev__offload_forked(void)
{
	pool = (struct pool){.brief.last = &pool.brief.first, .long_.last = &pool.long_.first};
}
