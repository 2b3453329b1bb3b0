/* EDEADLK: the main greenlet is told when nothing could ever wake it; and only then. Each case is a child process: Criterion's own has threads. */
#include <criterion/criterion.h>
#include <gev/gev.h>

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gev/embed.h"
#include "lib/base/sys.h"
#include "lib/core/deadlock.h"
#include "lib/core/hub.h"
#include "lib/core/lot.h"
#include "lib/core/park.h"

/* The body's result: 0, or the line that is not as it should be. */
static void in_child(int (*body)(void))
{
	int result[2];
	cr_assert_eq(pipe(result), 0);
	pid_t pid = fork();
	if (pid == 0) {
		alarm(30);
		int line = body();
		_exit(write(result[1], &line, sizeof line) != sizeof line);
	}
	close(result[1]);
	int line = -1;
	cr_expect_eq(read(result[0], &line, sizeof line), sizeof line, "it hung, or crashed");
	cr_expect_eq(line, 0, "line %d", line);
	close(result[0]);
	waitpid(pid, NULL, 0);
}

#define need(condition)                                                                                                \
	do {                                                                                                           \
		if (!(condition))                                                                                      \
			return __LINE__;                                                                               \
	} while (0)

static int said(int r)
{
	return r < 0 ? errno : 0;
}

static void *never(void *arg)
{
	gev__park(GEV_NEVER, 0);
	return NULL;
}

static int place;

static int queues(void)
{
	void *item;
	struct gev_queue *q = gev_queue_new(1);
	gev_sleep(0); /* there is a hub */
	need(said(gev_queue_get(q, &item, GEV_FOREVER)) == EDEADLK);
	need(said(gev_queue_peek(q, &item, GEV_FOREVER)) == EDEADLK);
	need(said(gev_queue_put(q, q, GEV_FOREVER)) == 0);
	need(said(gev_queue_put(q, q, GEV_FOREVER)) == EDEADLK);
	need(said(gev_queue_join(q, GEV_FOREVER)) == EDEADLK);
	need(gev_queue_size(q) == 1);
	gev_queue_free(q);
	return 0;
}

Test(deadlock, a_queue_that_nobody_can_serve)
{
	in_child(queues);
}

static int all_calls(void)
{
	struct gev_greenlet *g = gev_spawn(never, NULL);
	for (int i = 0; i < 3; i++) {
		need(said(gev_sleep(GEV_FOREVER)) == EDEADLK);
		need(said(gev_join(g, GEV_FOREVER, NULL)) == EDEADLK);
		need(said((int)gev_joinall(&g, 1, 0, GEV_FOREVER)) == EDEADLK);
		need(gev__lot_wait(&place, NULL, NULL, NULL, GEV_NEVER, GEV_PARK_KILLABLE, NULL) == -EDEADLK);
		need(said(gev_join(g, 0.001, NULL)) == ETIMEDOUT); /* a timer is something */
		need(said(gev_sleep(0.001)) == 0);
	}
	gev__wake(g);
	need(said(gev_join(g, GEV_FOREVER, NULL)) == 0);
	return 0;
}

Test(deadlock, is_told_to_main_and_the_hub_serves_on)
{
	in_child(all_calls);
}

static void *sleep_a_little(void *arg)
{
	gev_sleep(0.02);
	return NULL;
}

static int sleepers(void)
{
	struct gev_greenlet *g = gev_spawn(sleep_a_little, NULL);
	need(said(gev_join(g, GEV_FOREVER, NULL)) == 0);
	g = gev_spawn_later(NULL, 0.02, sleep_a_little, NULL);
	need(said(gev_join(g, GEV_FOREVER, NULL)) == 0);
	struct gev_timeout t;
	gev_timeout_begin(&t, 0.02);
	need(said(gev_sleep(GEV_FOREVER)) == ETIMEDOUT);
	need(gev_timeout_end(&t));
	return 0;
}

Test(deadlock, who_sleeps_is_no_reason)
{
	in_child(sleepers);
}

static int fds[2];

static void *read_one(void *arg)
{
	char c;
	return (void *)(intptr_t)gev_recv(fds[0], &c, 1, 0, GEV_FOREVER);
}

/* Who could write is not known: another process may. So another one does. */
static int write_from_a_child(void)
{
	pid_t pid = fork();
	if (pid == 0) {
		usleep(30000);
		_exit(write(fds[1], "x", 1) != 1);
	}
	return pid > 0;
}

static int readers(void)
{
	need(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
	for (int i = 0; i < 3; i++)
		gev_release(gev_spawn(never, NULL));
	struct gev_greenlet *g = gev_spawn(read_one, NULL);
	for (int i = 0; i < 3; i++)
		gev_release(gev_spawn(never, NULL));
	gev_yield();
	need(write_from_a_child());
	void *got;
	need(said(gev_join(g, GEV_FOREVER, &got)) == 0);
	need((intptr_t)got == 1);
	need(said(gev_sleep(GEV_FOREVER)) == EDEADLK); /* a watcher that nobody waits for is none */
	need(write_from_a_child());
	need(read_one(NULL) == (void *)1);
	return 0;
}

Test(deadlock, who_waits_for_a_descriptor_is_no_reason)
{
	in_child(readers);
}

static struct gev_greenlet *main_greenlet;

static void *wake_main(void *arg)
{
	usleep(30000);
	gev__wake(main_greenlet);
	return NULL;
}

static int threads(void)
{
	pthread_t t;
	gev_sleep(0);
	main_greenlet = gev_self();
	need(pthread_create(&t, NULL, wake_main, NULL) == 0);
	need(gev__park(GEV_NEVER, GEV_PARK_KILLABLE) == 0);
	need(said(gev_sleep(GEV_FOREVER)) == EDEADLK); /* it is gone now, or soon */
	need(pthread_join(t, NULL) == 0);
	return 0;
}

Test(deadlock, another_thread_may_wake)
{
	in_child(threads);
}

static pthread_barrier_t barrier;

static void *wait_for_word(void *arg)
{
	pthread_barrier_wait(&barrier);
	return NULL;
}

static int own_threads(void)
{
	pthread_t t, u;
	pthread_barrier_init(&barrier, NULL, 2);
	gev_sleep(0);
	main_greenlet = gev_self();
	struct gev__hub *h = main_greenlet->hub;
	need(pthread_create(&t, NULL, wait_for_word, NULL) == 0);
	gev__helper_threads = 1;
	need(said(gev_sleep(GEV_FOREVER)) == EDEADLK);
	h->references = 1;
	gev__helper_threads = 2;
	need(pthread_create(&u, NULL, wake_main, NULL) == 0);
	need(gev__park(GEV_NEVER, GEV_PARK_KILLABLE) == 0);
	pthread_barrier_wait(&barrier);
	need(pthread_join(t, NULL) == 0 && pthread_join(u, NULL) == 0);
	return 0;
}

Test(deadlock, threads_of_our_own_do_not_count_but_references_do)
{
	in_child(own_threads);
}

static int no_proc(const char *path, struct stat *out)
{
	errno = ENOENT;
	return -1;
}

static int without_proc(void)
{
	gev_sleep(0);
	gev__sys.stat = no_proc;
	main_greenlet = gev_self();
	pthread_t t;
	need(pthread_create(&t, NULL, wake_main, NULL) == 0);
	need(gev__park(GEV_NEVER, GEV_PARK_KILLABLE) == 0);
	need(pthread_join(t, NULL) == 0);
	return 0;
}

Test(deadlock, not_where_nobody_can_count_the_threads)
{
	in_child(without_proc);
}

static void *wake_main_here(void *arg)
{
	gev__wake_here(main_greenlet);
	return NULL;
}

static int plain(void)
{
	gev_sleep(0);
	main_greenlet = gev_self();
	gev_release(gev_spawn_later(NULL, 0.02, wake_main_here, NULL));
	need(gev__park(GEV_NEVER, 0) == 0);
	return 0;
}

Test(deadlock, not_to_a_wait_that_nothing_breaks_off)
{
	in_child(plain);
}
