/* Joining: by many, of many, from other OS threads; and handles that outlive their greenlet, its thread, and a fork. */
#include <criterion/criterion.h>
#include <gev/gev.h>

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gev/embed.h"

static void *nap(void *arg)
{
	gev_sleep((double)(intptr_t)arg / 1000);
	return arg;
}

static struct gev_greenlet *target;
static int order[100], joined;

static void *join_target(void *arg)
{
	void *value = NULL;
	int r = gev_join(target, 10, &value);
	order[joined++] = (int)(intptr_t)arg;
	return (void *)(intptr_t)(r == 0 && value == (void *)20);
}

Test(join, any_number_may_and_first_come_is_first_woken)
{
	enum { N = 100 };
	struct gev_greenlet *g[N];
	target = gev_spawn(nap, (void *)20);
	for (intptr_t i = 0; i < N; i++)
		g[i] = gev_spawn(join_target, (void *)i);
	cr_expect_eq(gev_joinall(g, N, 0, 10), N);
	for (int i = 0; i < N; i++) {
		void *right = NULL;
		cr_expect_eq(gev_join(g[i], 0, &right), 0);
		cr_expect_not_null(right);
		cr_expect_eq(order[i], i);
		gev_release(g[i]);
	}
	gev_release(target);
}

Test(join, a_handle_serves_after_the_end_as_often_as_one_likes)
{
	struct gev_greenlet *g = gev_spawn(nap, (void *)1);
	void *value;
	for (int i = 0; i < 3; i++) {
		cr_expect_eq(gev_join(g, 10, &value), 0);
		cr_expect_eq(value, (void *)1);
	}
	/* Others come and go meanwhile, and do not take its place. */
	for (int i = 0; i < 1000; i++)
		cr_expect_eq(gev_spawn_detached(NULL, nap, NULL), 0);
	gev_sleep(0.01);
	cr_expect(gev_is_done(g));
	cr_expect_eq(gev_error(g), 0);
	cr_expect_eq(gev_join(g, 0, &value), 0);
	cr_expect_eq(value, (void *)1);
	gev_release(g);
}

Test(join, references_count)
{
	struct gev_greenlet *g = gev_spawn(nap, (void *)1);
	for (int i = 0; i < 10; i++)
		cr_expect_eq(gev_ref(g), g);
	for (int i = 0; i < 10; i++)
		gev_release(g);
	void *value;
	cr_expect_eq(gev_join(g, 10, &value), 0);
	cr_expect_eq(value, (void *)1);
	gev_release(g);
}

static void *give_up(void *arg)
{
	return (void *)(intptr_t)(gev_join(target, 0.001, NULL) == -1 ? errno : 0);
}

Test(join, those_who_give_up_do_not_disturb_the_others)
{
	const struct gev_spawn_attr not_yet = {.suspended = true};
	struct gev_greenlet *g[3];
	target = gev_spawn_with(&not_yet, nap, (void *)20);
	g[0] = gev_spawn(give_up, NULL);
	g[1] = gev_spawn(join_target, NULL);
	g[2] = gev_spawn(give_up, NULL);
	void *error = NULL, *right = NULL;
	for (int i = 0; i < 3; i += 2) {
		cr_expect_eq(gev_join(g[i], 10, &error), 0);
		cr_expect_eq((intptr_t)error, ETIMEDOUT);
	}
	cr_expect_eq(gev_start(target), 0);
	cr_expect_eq(gev_join(target, 10, NULL), 0);
	cr_expect_eq(gev_join(g[1], 10, &right), 0);
	cr_expect_not_null(right);
}

Test(join, joinall_waits_for_so_many)
{
	struct gev_greenlet *g[40];
	for (intptr_t i = 0; i < 40; i++)
		g[i] = gev_spawn(nap, (void *)(intptr_t)(i < 5 ? 1 : 10000));
	cr_expect_geq(gev_joinall(g, 40, 3, 10), 3);
	cr_expect_eq(gev_joinall(g, 40, 5, 10), 5);
	cr_expect_eq(gev_joinall(g, 40, 6, 0.002), -1);
	cr_expect_eq(errno, ETIMEDOUT);
	cr_expect_eq(gev_joinall(g, 40, 0, 0), -1);
	cr_expect_eq(errno, ETIMEDOUT);
	cr_expect_eq(gev_joinall(g, 5, 0, 0), 5);
	cr_expect_eq(gev_joinall(g, 0, 0, 0), 0);
}

static void *count_one(void *arg)
{
	++*(int *)arg;
	return NULL;
}

Test(join, joinall_wakes_once_however_many_end_together)
{
	enum { N = 50 };
	int ran = 0;
	struct gev_greenlet *g[N];
	for (int i = 0; i < N; i++)
		g[i] = gev_spawn(count_one, &ran);
	cr_expect_eq(gev_joinall(g, N, 2, 10), N, "all of them run before the waiter's turn comes");
	for (int i = 0; i < N; i++)
		gev_release(g[i]);
}

Test(join, joinall_misuse)
{
	struct gev_greenlet *g[2] = {gev_spawn(nap, (void *)1), gev_self()};
	cr_expect_eq(gev_joinall(g, 1, 2, 1), -1);
	cr_expect_eq(errno, EINVAL);
	cr_expect_eq(gev_joinall(g, 1, 1, NAN), -1);
	cr_expect_eq(errno, EINVAL);
	cr_expect_eq(gev_joinall(g, 2, 1, 1), -1);
	cr_expect_eq(errno, EDEADLK);
}

/* ---- Other OS threads ---- */

static int tried;

static const char *try_from_afar(void)
{
	if (gev_join(target, 0, NULL) != -1 || errno != ETIMEDOUT)
		return "should not have ended yet";
	if (gev_join(target, 0.001, NULL) != -1 || errno != ETIMEDOUT)
		return "should not have ended yet";
	if (gev_joinall(&target, 1, 0, 0.001) != -1 || errno != ETIMEDOUT)
		return "should not have ended yet";
	return NULL;
}

static void *join_from_afar(void *arg)
{
	if (arg)
		gev_sleep(0); /* on a greenlet of another hub, and not without one */
	void *value = NULL;
	const char *wrong = try_from_afar();
	__atomic_add_fetch(&tried, 1, __ATOMIC_SEQ_CST);
	if (wrong)
		return (void *)wrong;
	if (gev_join(target, 30, &value))
		return "join";
	if (value != (void *)50 || !gev_is_done(target))
		return "value";
	gev_release(target);
	return NULL;
}

static void join_with_threads(int with_hub)
{
	enum { N = 4 };
	const struct gev_spawn_attr not_yet = {.suspended = true};
	pthread_t t[N];
	target = gev_spawn_with(&not_yet, nap, (void *)50);
	for (int i = 0; i < N; i++) {
		gev_ref(target);
		cr_assert_eq(pthread_create(&t[i], NULL, join_from_afar, with_hub ? &joined : NULL), 0);
	}
	while (__atomic_load_n(&tried, __ATOMIC_SEQ_CST) < N)
		gev_sleep(0.001);
	cr_expect_eq(gev_start(target), 0);
	cr_expect_eq(gev_join(target, 30, NULL), 0);
	gev_release(target);
	for (int i = 0; i < N; i++) {
		void *wrong;
		pthread_join(t[i], &wrong);
		cr_expect_null(wrong, "%s", (char *)wrong);
	}
}

Test(join, plain_threads_may)
{
	join_with_threads(0);
}

Test(join, greenlets_of_other_hubs_may)
{
	join_with_threads(1);
}

static int rounds_done;

struct gift {
	struct gev_greenlet *g;
	pthread_mutex_t lock;
	pthread_cond_t given;
};

/* Takes handles, joins some, and gives all back: the last reference often goes here. */
static void *take_handles(void *arg)
{
	struct gift *gift = arg;
	for (;;) {
		pthread_mutex_lock(&gift->lock);
		while (gift->g == NULL)
			pthread_cond_wait(&gift->given, &gift->lock);
		struct gev_greenlet *g = gift->g;
		gift->g = NULL;
		pthread_cond_signal(&gift->given);
		pthread_mutex_unlock(&gift->lock);
		if (g == (void *)gift)
			return NULL;
		int n = __atomic_add_fetch(&rounds_done, 1, __ATOMIC_SEQ_CST);
		if (n % 3 == 0)
			gev_kill(g);
		if (n % 2 == 0 && gev_join(g, 30, NULL))
			return "join";
		gev_release(g);
	}
}

static void *be_short(void *arg)
{
	gev_yield();
	return NULL;
}

Test(join, handles_may_go_on_any_thread)
{
	enum { ROUNDS = 3000, T = 3 };
	static struct gift gift = {.lock = PTHREAD_MUTEX_INITIALIZER, .given = PTHREAD_COND_INITIALIZER};
	pthread_t t[T];
	for (int i = 0; i < T; i++)
		cr_assert_eq(pthread_create(&t[i], NULL, take_handles, &gift), 0);
	for (int i = 0; i < ROUNDS + T;) {
		pthread_mutex_lock(&gift.lock);
		bool room = gift.g == NULL;
		if (room)
			gift.g = i < ROUNDS ? gev_spawn(be_short, NULL) : (void *)&gift;
		pthread_cond_signal(&gift.given);
		pthread_mutex_unlock(&gift.lock);
		i += room;
		gev_yield();
		if (!room)
			sched_yield();
	}
	for (int i = 0; i < T; i++) {
		void *wrong;
		cr_assert_eq(pthread_join(t[i], &wrong), 0);
		cr_expect_null(wrong, "%s", (char *)wrong);
	}
	while (gev_embed_v1()->thread_count() > 1) /* until all have ended */
		gev_sleep(0.001);
}

/* ---- A thread that ends before its greenlets ---- */

static struct gev_greenlet *left[4];

static void *leave_greenlets(void *arg)
{
	left[0] = gev_spawn(nap, (void *)100000);
	left[1] = gev_spawn(nap, NULL);
	left[2] = gev_spawn(nap, NULL);
	left[3] = gev_spawn_later(NULL, 1000, nap, NULL);
	gev_join(left[1], 10, NULL);
	gev_join(left[2], 10, NULL);
	pthread_barrier_wait(arg);
	pthread_barrier_wait(arg);
	return NULL;
}

static void *join_left(void *arg)
{
	return (void *)(intptr_t)(gev_join(left[0], 30, NULL) == -1 ? errno : 0);
}

Test(join, handles_outlive_the_thread_of_their_greenlets)
{
	pthread_t t, waiter;
	pthread_barrier_t b;
	pthread_barrier_init(&b, NULL, 2);
	cr_assert_eq(pthread_create(&t, NULL, leave_greenlets, &b), 0);
	pthread_barrier_wait(&b);
	cr_assert_eq(pthread_create(&waiter, NULL, join_left, NULL), 0);
	cr_expect_not(gev_is_done(left[0]));
	pthread_barrier_wait(&b);
	cr_assert_eq(pthread_join(t, NULL), 0);
	void *error;
	cr_assert_eq(pthread_join(waiter, &error), 0);
	cr_expect_eq((intptr_t)error, ESRCH);
	for (int i = 0; i < 4; i++) {
		bool lost = i == 0 || i == 3;
		cr_expect(gev_is_done(left[i]));
		cr_expect_eq(gev_error(left[i]), lost ? ESRCH : 0);
		cr_expect_eq(gev_join(left[i], 1, NULL), lost ? -1 : 0);
		gev_kill(left[i]);
		gev_release(gev_ref(left[i]));
		cr_expect_eq(gev_start(left[i]), -1);
		cr_expect_eq(errno, EPERM);
		gev_release(left[i]);
	}
}

Test(join, start_and_counts_belong_to_the_own_thread)
{
	pthread_t t;
	pthread_barrier_t b;
	pthread_barrier_init(&b, NULL, 2);
	cr_assert_eq(pthread_create(&t, NULL, leave_greenlets, &b), 0);
	pthread_barrier_wait(&b);
	cr_expect_eq(gev_start(left[3]), -1);
	cr_expect_eq(errno, EPERM);
	cr_expect_eq(gev_joinall(left, 4, 1, 1), -1);
	cr_expect_eq(errno, EPERM);
	cr_expect_eq(gev_joinall(left + 1, 2, 0, 1), 2);
	pthread_barrier_wait(&b);
	cr_assert_eq(pthread_join(t, NULL), 0);
	for (int i = 0; i < 4; i++)
		gev_release(left[i]);
}

/* ---- Fork ---- */

static int use_handles_in_child(struct gev_greenlet *const *g)
{
	for (int i = 0; i < 3; i++) {
		bool ended = i == 1;
		if (!gev_is_done(g[i]) || gev_join(g[i], 1, NULL) != (ended ? 0 : -1) || (!ended && errno != ESRCH))
			return 1 + i;
		if (gev_error(g[i]) != (ended ? 0 : ESRCH))
			return 11 + i;
		gev_kill(g[i]);
	}
	/* New greenlets do not come to lie where those were, as long as they are held. */
	for (int n = 0; n < 1000; n++) {
		struct gev_greenlet *new = gev_spawn(nap, NULL);
		if (new == g[0] || new == g[1] || gev_join(new, 10, NULL))
			return 21;
		gev_release(new);
	}
	for (int i = 0; i < 3; i++)
		gev_release(g[i]);
	return 0;
}

Test(join, handles_held_in_a_forked_child_are_of_those_who_stayed_behind)
{
	pthread_t t;
	pthread_barrier_t b;
	pthread_barrier_init(&b, NULL, 2);
	cr_assert_eq(pthread_create(&t, NULL, leave_greenlets, &b), 0);
	pthread_barrier_wait(&b);
	struct gev_greenlet *g[3] = {gev_spawn(nap, (void *)20), gev_spawn(nap, NULL), left[0]};
	cr_assert_eq(gev_join(g[1], 10, NULL), 0);
	const struct gev_embed *e = gev_embed_v1();
	e->fork_prepare();
	pid_t pid = fork();
	if (pid == 0) {
		e->fork_child();
		_exit(use_handles_in_child(g));
	}
	e->fork_parent();
	int status = -1;
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %#x", status);
	cr_expect_eq(gev_join(g[0], 10, NULL), 0, "and in the parent nothing has changed");
	pthread_barrier_wait(&b);
	cr_assert_eq(pthread_join(t, NULL), 0);
}
