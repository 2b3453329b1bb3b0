/* Offloading to real threads: what runs where, time limits, kills, the end of idle threads, fork. */
#include <criterion/criterion.h>
#include <gev/gev.h>

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gev/embed.h"
#include "lib/base/sys.h"
#include "lib/io/offload.h"

static pthread_t here;
static sem_t gate;

static void *where(void *arg)
{
	sigset_t mask;
	pthread_sigmask(SIG_SETMASK, NULL, &mask);
	cr_assert(sigismember(&mask, SIGTERM) == 1, "signals go to the program's threads");
	errno = ENOTTY;
	return pthread_equal(pthread_self(), here) ? NULL : arg;
}

static int begun;

static void *pass_gate(void *arg)
{
	__atomic_store_n(&begun, 1, __ATOMIC_SEQ_CST);
	while (sem_wait(&gate))
		;
	return arg;
}

static bool has_begun(void)
{
	return __atomic_load_n(&begun, __ATOMIC_SEQ_CST);
}

static int others_ran;

static void *count(void *arg)
{
	for (int i = 0; i < 3; i++) {
		others_ran++;
		gev_sleep(0.001);
	}
	sem_post(&gate);
	return NULL;
}

Test(offload, runs_on_another_thread_and_gives_value_and_errno)
{
	void *value = NULL;
	here = pthread_self();
	gev_sleep(0);
	errno = 0;
	cr_expect_eq(gev_offload(where, &here, 10, &value), 0);
	cr_expect_eq(value, &here);
	cr_expect_eq(errno, ENOTTY);
	cr_expect_eq(gev_offload(where, &here, 10, NULL), 0);
	cr_expect_eq(gev_offload(NULL, NULL, 10, NULL), -1);
	cr_expect_eq(errno, EINVAL);
	cr_expect_eq(gev_offload(where, NULL, NAN, NULL), -1);
	cr_expect_eq(errno, EINVAL);
}

Test(offload, the_other_greenlets_run_meanwhile)
{
	sem_init(&gate, 0, 0);
	struct gev_greenlet *g = gev_spawn(count, NULL);
	cr_expect_eq(gev_offload(pass_gate, NULL, GEV_FOREVER, NULL), 0);
	cr_expect_eq(others_ran, 3);
	gev_join(g, 10, NULL);
}

static void *offload_where(void *arg)
{
	void *value = NULL;
	cr_assert_eq(gev_offload(where, arg, 10, &value), 0);
	return value;
}

Test(offload, from_a_greenlet_with_an_identity_of_its_own)
{
	struct gev_spawn_attr own = {.identity = GEV_IDENTITY_OWN};
	void *value = NULL;
	here = pthread_self();
	for (int i = 0; i < 20; i++) {
		cr_assert_eq(gev_join(gev_spawn_with(&own, offload_where, &own), 10, &value), 0);
		cr_expect_eq(value, &own);
	}
}

Test(offload, without_a_hub_it_is_a_call)
{
	here = pthread_self();
	sigset_t all;
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, NULL);
	void *value = &here;
	cr_expect_eq(gev_offload(where, &here, 0, &value), 0);
	cr_expect_null(value);
	cr_expect_null(gev_self());
}

/* ---- As many as allowed, the others wait ---- */

enum { THREADS = 10, JOBS = 25 };
static int running, most;

static void *hold(void *arg)
{
	int now = __atomic_add_fetch(&running, 1, __ATOMIC_SEQ_CST), before = __atomic_load_n(&most, __ATOMIC_SEQ_CST);
	while (before < now &&
	       !__atomic_compare_exchange_n(&most, &before, now, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		;
	pass_gate(NULL);
	__atomic_sub_fetch(&running, 1, __ATOMIC_SEQ_CST);
	return arg;
}

static void *offload_hold(void *arg)
{
	void *value = NULL;
	cr_assert_eq(gev_offload(hold, arg, GEV_FOREVER, &value), 0);
	return value;
}

static void fill(struct gev_greenlet **g)
{
	for (intptr_t i = 0; i < JOBS; i++)
		g[i] = gev_spawn(offload_hold, (void *)(i + 1));
	while (__atomic_load_n(&running, __ATOMIC_SEQ_CST) < THREADS)
		gev_sleep(0.001);
}

static void let_all_go(struct gev_greenlet **g)
{
	for (int i = 0; i < JOBS; i++)
		sem_post(&gate);
	for (intptr_t i = 0; i < JOBS; i++) {
		void *value = NULL;
		cr_expect_eq(gev_join(g[i], 30, &value), 0);
		cr_expect_eq(value, (void *)(i + 1));
	}
}

Test(offload, no_more_threads_than_allowed_and_nothing_is_lost)
{
	struct gev_greenlet *g[JOBS];
	sem_init(&gate, 0, 0);
	fill(g);
	errno = 0;
	here = pthread_self();
	cr_expect_eq(gev_offload(where, NULL, 0.01, NULL), -1, "no thread is free in time");
	cr_expect_eq(errno, ETIMEDOUT);
	let_all_go(g);
	cr_expect_eq(most, THREADS);
	cr_expect_eq(gev_offload(where, NULL, 10, NULL), 0);
}

/* ---- What is over soon ---- */

static sem_t brief_gate;
static int briefs;

static void be_brief(void *arg)
{
	__atomic_add_fetch(&briefs, 1, __ATOMIC_SEQ_CST);
	while (sem_wait(&brief_gate))
		;
}

static void *offload_brief(void *arg)
{
	return (void *)(intptr_t)gev__offload_brief(be_brief, arg);
}

Test(offload, a_brief_job_is_refused_where_it_would_have_to_wait_for_others)
{
	struct gev_greenlet *g[JOBS];
	sem_init(&gate, 0, 0);
	sem_init(&brief_gate, 0, 1);
	fill(g);
	cr_expect_eq(gev__offload_brief(be_brief, NULL), -EAGAIN);
	cr_expect_eq(briefs, 0);
	let_all_go(g);
	cr_expect_eq(gev__offload_brief(be_brief, NULL), 0);
	cr_expect_eq(briefs, 1);
}

Test(offload, a_brief_job_goes_before_the_others)
{
	struct gev_greenlet *g[JOBS], *first, *second;
	void *result = &briefs;
	sem_init(&gate, 0, 0);
	sem_init(&brief_gate, 0, 0);
	first = gev_spawn(offload_brief, NULL);
	while (!__atomic_load_n(&briefs, __ATOMIC_SEQ_CST))
		gev_sleep(0.001);
	for (intptr_t i = 0; i < JOBS; i++)
		g[i] = gev_spawn(offload_hold, (void *)(i + 1));
	while (__atomic_load_n(&running, __ATOMIC_SEQ_CST) < THREADS - 1)
		gev_sleep(0.001);
	second = gev_spawn(offload_brief, NULL);
	gev_sleep(0);
	sem_post(&brief_gate);
	sem_post(&brief_gate);
	cr_expect_eq(gev_join(first, 30, NULL), 0);
	cr_expect_eq(gev_join(second, 30, &result), 0, "while the others hold all threads but one");
	cr_expect_null(result);
	cr_expect_eq(briefs, 2);
	let_all_go(g);
}

/* ---- Kills and time limits ---- */

static int dropped;
static void *dropped_arg, *dropped_value;

static void drop(void *arg, void *value)
{
	dropped_arg = arg;
	dropped_value = value;
	__atomic_add_fetch(&dropped, 1, __ATOMIC_SEQ_CST);
}

static void await_drop(void)
{
	for (int i = 0; i < 10000 && !__atomic_load_n(&dropped, __ATOMIC_SEQ_CST); i++)
		gev_sleep(0.001);
	cr_expect_eq(dropped, 1);
}

static int told;

/* Until a thread was there for it in time: on a busy machine a short limit is over before one runs. */
static void *offload_pass(void *arg)
{
	for (double limit = 0.001; !has_begun(); limit *= 2)
		told = gev_offload(pass_gate, arg, limit, NULL) ? errno : 0;
	return (void *)(intptr_t)(gev_sleep(0.001) ? errno : 0);
}

Test(offload, what_runs_is_waited_for_in_spite_of_its_time_limit_and_a_kill)
{
	sem_init(&gate, 0, 0);
	struct gev_greenlet *g = gev_spawn(offload_pass, NULL);
	while (!has_begun())
		gev_sleep(0.001);
	cr_expect_eq(gev_join(g, 0.05, NULL), -1);
	gev_kill(g);
	cr_expect_eq(gev_join(g, 0.05, NULL), -1);
	sem_post(&gate);
	void *next = NULL;
	cr_expect_eq(gev_join(g, 10, &next), 0);
	cr_expect_eq(told, 0);
	cr_expect_eq((intptr_t)next, ECANCELED, "the next call that blocks says so");
}

Test(offload, apart_its_time_limit_leaves_it)
{
	sem_init(&gate, 0, 0);
	gev_sleep(0);
	for (double limit = 0.02; !has_begun(); limit *= 2) {
		dropped = 0; /* without ever having run */
		cr_expect_eq(gev_offload_apart(pass_gate, &told, drop, limit, NULL), -1);
		cr_expect_eq(errno, ETIMEDOUT);
	}
	cr_expect_eq(dropped, 0);
	sem_post(&gate);
	await_drop();
	cr_expect_eq(dropped_arg, &told);
	cr_expect_eq(dropped_value, &told);
}

static void *offload_apart(void *arg)
{
	return (void *)(intptr_t)(gev_offload_apart(pass_gate, arg, drop, GEV_FOREVER, NULL) ? errno : 0);
}

Test(offload, apart_a_kill_leaves_it)
{
	sem_init(&gate, 0, 0);
	struct gev_greenlet *g = gev_spawn(offload_apart, &told);
	while (!has_begun())
		gev_sleep(0.001);
	gev_kill(g);
	void *error = NULL;
	cr_expect_eq(gev_join(g, 10, &error), 0);
	cr_expect_eq((intptr_t)error, ECANCELED);
	sem_post(&gate);
	await_drop();
}

Test(offload, apart_the_value_is_the_callers_and_the_argument_is_dropped)
{
	void *value = NULL;
	here = pthread_self();
	gev_sleep(0);
	cr_expect_eq(gev_offload_apart(where, &told, drop, 10, &value), 0);
	cr_expect_eq(value, &told);
	cr_expect_eq(dropped, 1);
	cr_expect_null(dropped_value);
	cr_expect_eq(gev_offload_apart(where, &told, drop, 10, NULL), 0);
	cr_expect_eq(dropped, 2);
	cr_expect_eq(dropped_value, &told);
	cr_expect_eq(gev_offload_apart(NULL, &told, drop, 10, NULL), -1);
	cr_expect_eq(dropped, 3);
	cr_expect_null(dropped_value);
}

Test(offload, apart_what_did_not_run_is_dropped_too)
{
	struct gev_greenlet *g[JOBS];
	sem_init(&gate, 0, 0);
	fill(g);
	cr_expect_eq(gev_offload_apart(where, &told, drop, 0.01, NULL), -1);
	cr_expect_eq(errno, ETIMEDOUT);
	cr_expect_eq(dropped, 1);
	cr_expect_null(dropped_value);
	let_all_go(g);
	cr_expect_eq(dropped, 1);
}

/* ---- No thread, and after a fork ---- */

static int refuse(pthread_t *id, const pthread_attr_t *attr, void *(*f)(void *), void *arg)
{
	return EAGAIN;
}

Test(offload, no_thread_can_be_made)
{
	here = pthread_self();
	gev_sleep(0);
	gev__sys.pthread_create = refuse;
	errno = 0;
	cr_expect_eq(gev_offload(where, NULL, 10, NULL), -1);
	cr_expect_eq(errno, EAGAIN);
	gev__sys.pthread_create = pthread_create;
	cr_expect_eq(gev_offload(where, NULL, 10, NULL), 0);
	gev__sys.pthread_create = refuse;
	cr_expect_eq(gev_offload(where, NULL, 10, NULL), 0, "the one there is does it");
}

static void *offload_once(void *arg)
{
	cr_expect_eq(gev_offload(pass_gate, arg, GEV_FOREVER, NULL), 0);
	return NULL;
}

Test(offload, no_thread_can_be_made_for_a_brief_job)
{
	sem_init(&gate, 0, 0);
	sem_init(&brief_gate, 0, 1);
	struct gev_greenlet *lasts = gev_spawn(offload_once, NULL);
	while (!has_begun())
		gev_sleep(0.001);
	gev__sys.pthread_create = refuse;
	struct gev_greenlet *counts = gev_spawn(count, NULL);
	cr_expect_eq(gev__offload_brief(be_brief, NULL), -EAGAIN, "it does not wait for what lasts");
	cr_expect_eq(briefs, 0);
	cr_expect_eq(gev_join(counts, 10, NULL), 0);
	cr_expect_eq(gev_join(lasts, 10, NULL), 0);
}

Test(offload, a_forked_child_makes_threads_of_its_own)
{
	const struct gev_embed *e = gev_embed_v1();
	here = pthread_self();
	gev_sleep(0);
	cr_assert_eq(gev_offload(where, NULL, 10, NULL), 0);
	e->fork_prepare();
	pid_t pid = fork();
	if (pid == 0) {
		e->fork_child();
		here = pthread_self();
		_exit(gev_offload(where, NULL, 10, NULL) == 0 ? 7 : 1);
	}
	e->fork_parent();
	int status = -1;
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 7, "status %#x", status);
}
