/* fork(2) in a program that only links the library: the child goes on with timers and sockets, whoever forked, and beside other hubs. */
#include <criterion/criterion.h>
#include <gev/gev.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gev/embed.h"
#include "lib/core/hub-loop.h"

static int fds[2];

/* From the archive the linker takes only what is referred to; the handlers lie beside this. */
__attribute__((used)) static const struct gev_embed *(*const whole)(void) = gev_embed_v1;

static void *echo_once(void *arg)
{
	char c = 0;
	return gev_read(fds[0], &c, 1, 10) == 1 && gev_write(fds[0], &c, 1, 10) == 1 ? arg : NULL;
}

static int internal_count(void)
{
	int n = 0;
	for (int fd = gev__loop_internal_next(0); fd >= 0; fd = gev__loop_internal_next(fd + 1))
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void *twice(void *arg)
{
	return (void *)((intptr_t)arg * 2);
}

/* 0 if all is well. */
static int live_on(void)
{
	double start = gev_now();
	char c = 'f';
	void *value = NULL;
	if (gev_sleep(0.01) || gev_now() - start < 0.01)
		return 1;
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds))
		return 2;
	struct gev_greenlet *g = gev_spawn(echo_once, fds);
	if (gev_write(fds[1], &c, 1, 10) != 1 || gev_read(fds[1], &c, 1, 10) != 1 || c != 'f')
		return 3;
	if (gev_join(g, 10, &value) || value != fds)
		return 4;
	if (internal_count() != 3) /* epoll, eventfd, timerfd */
		return 5;
	if (gev_offload(twice, (void *)21, 10, &value) || value != (void *)42)
		return 6;
	int at = gev_listen("localhost:0", 1);
	return at < 0 ? 7 : gev_close(at);
}

static int status_of(pid_t pid)
{
	int status = -1;
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	return status;
}

static void *fork_here(void *arg)
{
	pid_t pid = fork();
	if (pid == 0)
		_exit(live_on());
	cr_assert_gt(pid, 0);
	int status = status_of(pid);
	cr_expect_eq(status, 0, "%#x", status);
	return NULL;
}

static int others_ran;
static bool stop;

static void *run_on(void *arg)
{
	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		others_ran++;
		gev_sleep(0.001);
	}
	return NULL;
}

Test(fork, from_main_and_from_greenlets_of_both_identities)
{
	char c;
	struct gev_spawn_attr own = {.identity = GEV_IDENTITY_OWN};
	struct gev_greenlet *g = gev_spawn(run_on, NULL);
	cr_assert_eq(pipe(fds), 0);
	cr_assert_eq(gev_read(fds[0], &c, 1, 0.002), -1);
	fork_here(NULL);
	cr_expect_eq(gev_join(gev_spawn(fork_here, NULL), 30, NULL), 0);
	cr_expect_eq(gev_join(gev_spawn_with(&own, fork_here, NULL), 30, NULL), 0);
	int before = others_ran;
	gev_sleep(0.01);
	cr_expect_gt(others_ran, before, "the parent goes on");
	stop = true;
	gev_join(g, 10, NULL);
	cr_expect_eq(live_on(), 0, "and with all that a child may do");
}

static int ready;

static void *another_hub(void *arg)
{
	char c;
	int mine[2];
	cr_assert_eq(pipe(mine), 0);
	struct gev_greenlet *g = gev_spawn(run_on, NULL);
	__atomic_add_fetch(&ready, 1, __ATOMIC_SEQ_CST);
	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED))
		cr_assert_eq(gev_read(mine[0], &c, 1, 0.001), -1);
	gev_join(g, 10, NULL);
	return NULL;
}

static void beside_others(void *(*forks)(void *))
{
	enum { HUBS = 3, FORKS = 10 };
	pthread_t t[HUBS], f;
	for (int i = 0; i < HUBS; i++)
		cr_assert_eq(pthread_create(&t[i], NULL, another_hub, NULL), 0);
	while (__atomic_load_n(&ready, __ATOMIC_SEQ_CST) < HUBS)
		sched_yield();
	for (int i = 0; i < FORKS; i++) {
		if (forks) {
			cr_assert_eq(pthread_create(&f, NULL, forks, NULL), 0);
			pthread_join(f, NULL);
		} else {
			fork_here(NULL);
		}
	}
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	for (int i = 0; i < HUBS; i++)
		pthread_join(t[i], NULL);
}

Test(fork, from_a_hub_beside_other_hubs)
{
	gev_sleep(0);
	beside_others(NULL);
}

Test(fork, from_a_plain_thread_beside_hubs)
{
	gev_sleep(0);
	beside_others(fork_here);
}

static int fork_again(void)
{
	pid_t pid = fork();
	if (pid == 0)
		_exit(live_on());
	int status = -1;
	return waitpid(pid, &status, 0) == pid && status == 0 ? live_on() : 1;
}

Test(fork, a_child_of_a_child)
{
	gev_sleep(0);
	pid_t pid = fork();
	if (pid == 0)
		_exit(fork_again());
	cr_expect_eq(status_of(pid), 0);
}

/* ---- A hub that has no descriptor to wait for has no loop ---- */

static void *wait_for_main(void *arg)
{
	gev_join(arg, 0.001, NULL);
	return NULL;
}

static void *wake_by_spawning(void *arg)
{
	return wait_for_main(gev_spawn(twice, NULL));
}

Test(fork, no_loop_is_made_for_greenlets_time_locks_and_other_threads)
{
	pthread_t t;
	gev_sleep(0.001);
	void *value;
	cr_assert_eq(gev_join(gev_spawn(twice, (void *)1), 1, &value), 0);
	gev_yield();
	cr_assert_eq(pthread_create(&t, NULL, wake_by_spawning, NULL), 0);
	pthread_join(t, NULL);
	cr_expect_eq(gev_offload(twice, NULL, 10, NULL), 0);
	cr_expect_eq(gev_close(-1), -1);
	char c;
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	cr_expect_eq(gev_send_all(fds[0], "x", 1, 1), 1);
	cr_expect_eq(gev_recv(fds[1], &c, 1, 0, 1), 1, "nor for what need not wait");
	cr_expect_eq(gev_recv(fds[1], &c, 1, 0, 0), -1, "or may not");
	cr_expect_eq(gev_fd_wait(fds[1], GEV_READABLE, 0), -1);
	cr_expect_null(gev__hub_here()->loop);
	cr_expect_eq(internal_count(), 0);
	cr_expect_eq(gev_recv(fds[1], &c, 1, 0, 0.001), -1);
	cr_expect_not_null(gev__hub_here()->loop);
}
