/* A step that forks: in the child the caller alone is left, and everything works there. */
#include <errno.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/random/random.h"

static void *child_greenlet(void *arg)
{
	int *fds = arg;
	char byte;
	gev_yield();
	check(gev_sleep(0.0005) == 0, "sleep in the child: errno %d", errno);
	check(gev_read(fds[0], &byte, 1, 10) == 1, "read in the child: errno %d", errno);
	return arg;
}

static void live_in_child(void)
{
	enum { N = 6 };
	struct gev_greenlet *g[N];
	int fds[2];
	check(world.rt->thread_count() == 1, "%zu greenlets in the child", world.rt->thread_count());
	check(pipe(fds) == 0, "pipe: errno %d", errno);
	for (int i = 0; i < N; i++) {
		struct gev_spawn_attr attr = {.identity = i % 2 ? GEV_IDENTITY_OWN : GEV_IDENTITY_SHARED};
		g[i] = gev_spawn_with(&attr, child_greenlet, fds);
		check(g[i], "spawn in the child: errno %d", errno);
	}
	gev_sleep(0.001);
	check(write(fds[1], "123456", N) == N, "write: errno %d", errno);
	for (int i = 0; i < N; i++) {
		void *value = NULL;
		check(gev_join(g[i], 10, &value) == 0 && value == fds, "join in the child: errno %d", errno);
		gev_release(g[i]);
	}
	check(world.rt->thread_count() == 1, "%zu greenlets are left in the child", world.rt->thread_count());
}

void step_fork(struct actor *a)
{
	/* A child's calls are to work, and nothing of its parent's time is to count for it. */
	if (!one_in(&a->rng, 8) || a->shielded || limit_of(a, GEV_PARK_KILLABLE).latest != INT64_MAX)
		return;
	world.rt->kill(gev_self(), false); /* the child's calls are to work */
	world.rt->fork_prepare();
	pid_t pid = fork();
	if (pid == 0) {
		world.rt->fork_child();
		virtual_forked();
		live_in_child();
		_exit(0);
	}
	world.rt->fork_parent();
	world.rt->kill(gev_self(), a->killed);
	a->wakes += a->killed;
	int status = -1;
	check(pid > 0, "fork: errno %d", errno);
	check(waitpid(pid, &status, 0) == pid, "waitpid: errno %d", errno);
	check(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the child ended with %#x", status);
}
