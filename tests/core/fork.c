/* fork, as the shim drives it: only the caller goes on in the child, and everything works there. */
#include <criterion/criterion.h>
#include <gev/gev.h>

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gev/embed.h"

static int ran_in_child;
static int in_child;
static int fds[2];

static void *other(void *arg)
{
	for (int i = 0; i < 50; i++) {
		gev_sleep(0.001);
		ran_in_child += in_child;
	}
	return NULL;
}

static void *echo_once(void *arg)
{
	char c;
	if (gev_read(fds[0], &c, 1, 10) != 1)
		return NULL;
	return arg;
}

/* In the child: new greenlets, sleeping, descriptors; 0 if all is well. */
static int live_on(void)
{
	const struct gev_embed *e = gev_embed_v1();
	if (e->thread_count() != 1)
		return 1;
	if (gev_sleep(0.07) != 0 || ran_in_child)
		return 2;
	if (pipe(fds))
		return 3;
	struct gev_spawn_attr own = {.identity = GEV_IDENTITY_OWN};
	struct gev_greenlet *g = gev_spawn_with(&own, echo_once, fds);
	gev_yield();
	void *value = NULL;
	if (write(fds[1], "x", 1) != 1 || gev_join(g, 10, &value) || value != fds)
		return 4;
	return 0;
}

static void *fork_here(void *arg)
{
	const struct gev_embed *e = gev_embed_v1();
	e->fork_prepare();
	pid_t pid = fork();
	if (pid == 0) {
		in_child = 1;
		e->fork_child();
		_exit(live_on());
	}
	e->fork_parent();
	int status = -1;
	cr_assert_gt(pid, 0);
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %#x", status);
	return NULL;
}

static void run(int identity)
{
	struct gev_spawn_attr attr = {.identity = identity};
	struct gev_greenlet *g[20];
	for (int i = 0; i < 20; i++)
		g[i] = gev_spawn_with(&attr, other, NULL);
	gev_yield();
	char c;
	cr_assert_eq(pipe(fds), 0);
	cr_expect_eq(gev_read(fds[0], &c, 1, 0.002), -1); /* there is a loop, and a watcher */
	fork_here(NULL);
	gev_join(gev_spawn_with(&attr, fork_here, NULL), GEV_FOREVER, NULL);
	for (int i = 0; i < 20; i++)
		cr_expect_eq(gev_join(g[i], 10, NULL), 0);
}

Test(fork, from_main_and_from_a_native_greenlet)
{
	run(GEV_IDENTITY_SHARED);
}

Test(fork, from_main_and_from_a_green_thread)
{
	run(GEV_IDENTITY_OWN);
}

/* A green thread forks, and in its child another one does; the grandchild makes real threads, which libc takes from its lists. */

static void *nothing(void *arg)
{
	return arg;
}

static int fork_and(int (*then)(void))
{
	const struct gev_embed *e = gev_embed_v1();
	e->fork_prepare();
	pid_t pid = fork();
	if (pid == 0) {
		e->fork_child();
		_exit(then());
	}
	e->fork_parent();
	int status = -1;
	waitpid(pid, &status, 0);
	return status;
}

static int make_threads(void)
{
	struct gev_spawn_attr own = {.identity = GEV_IDENTITY_OWN};
	for (int i = 0; i < 3; i++) {
		pthread_t t;
		if (pthread_create(&t, NULL, nothing, NULL) || pthread_join(t, NULL))
			return 1;
		if (gev_join(gev_spawn_with(&own, nothing, NULL), 10, NULL))
			return 2;
	}
	return 0;
}

static void *fork_to_make_threads(void *arg)
{
	return (void *)(intptr_t)fork_and(make_threads);
}

static int fork_again(void)
{
	struct gev_spawn_attr own = {.identity = GEV_IDENTITY_OWN};
	void *status = NULL;
	gev_join(gev_spawn_with(&own, fork_to_make_threads, NULL), 10, &status);
	return status != NULL;
}

static void *fork_to_fork(void *arg)
{
	return (void *)(intptr_t)fork_and(fork_again);
}

Test(fork, a_child_of_a_child_of_green_threads_can_make_real_threads)
{
	struct gev_spawn_attr own = {.identity = GEV_IDENTITY_OWN};
	void *status = &status;
	cr_assert_eq(gev_join(gev_spawn_with(&own, fork_to_fork, NULL), 30, &status), 0);
	cr_expect_null(status, "status %#lx", (unsigned long)status);
}
