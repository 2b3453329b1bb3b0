/* Ends: defers, gev_exit through cleanup handlers, failure and its report, handles that nobody gave back. */
#include <criterion/criterion.h>
#include <gev/gev.h>

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/log.h"

static char trace[64];
static size_t n;

static void note(void *arg)
{
	trace[n++] = *(const char *)arg;
}

static void note_slowly(void *arg)
{
	if (gev_sleep(0.001) == 0)
		note(arg);
}

static void *with_defers(void *arg)
{
	gev_defer(note, "1");
	gev_defer(note_slowly, "2");
	gev_defer(note, "3");
	note("b");
	gev_sleep(*(double *)arg);
	return arg;
}

Test(end, defers_run_last_first)
{
	double s = 0;
	struct gev_greenlet *g = gev_spawn(with_defers, &s);
	void *value;
	cr_expect_eq(gev_join(g, 10, &value), 0);
	cr_expect_eq(value, &s);
	cr_expect_str_eq(trace, "b321");
	gev_release(g);
}

Test(end, defers_of_a_killed_one_are_shielded)
{
	double s = 1000;
	struct gev_greenlet *g = gev_spawn(with_defers, &s);
	gev_yield();
	gev_kill(g);
	cr_expect_eq(gev_join(g, 10, NULL), 0);
	cr_expect_str_eq(trace, "b321");
	gev_release(g);
}

Test(end, one_that_never_began_has_none)
{
	double s = 0;
	struct gev_greenlet *g = gev_spawn(with_defers, &s);
	gev_kill(g);
	cr_expect_eq(gev_join(g, 10, NULL), 0);
	cr_expect_str_eq(trace, "");
}

static void defer_more(void *arg)
{
	note("m");
	gev_defer(note, "n");
}

static void *nested_defers(void *arg)
{
	gev_defer(note, "1");
	gev_defer(defer_more, NULL);
	return NULL;
}

Test(end, a_defer_may_defer)
{
	struct gev_greenlet *g = gev_spawn(nested_defers, NULL);
	cr_expect_eq(gev_join(g, 10, NULL), 0);
	cr_expect_str_eq(trace, "mn1");
}

Test(end, defer_misuse)
{
	gev_sleep(0);
	cr_expect_eq(gev_defer(NULL, NULL), -1);
	cr_expect_eq(errno, EINVAL);
	cr_expect_eq(gev_defer(note, NULL), -1);
	cr_expect_eq(errno, EPERM);
}

/* ---- gev_exit ---- */

static void deeper(int levels, void *value)
{
	volatile char room[200] = {(char)levels};
	if (levels > 0)
		deeper(levels - 1, value);
	else if (value)
		gev_exit(value);
	note((void *)(uintptr_t)room); /* never */
}

static void *exit_deep(void *arg)
{
	gev_defer(note, "2");
	gev_defer(note_slowly, "1");
	deeper(10, arg);
	return NULL;
}

static void exit_with(int identity, void *(*fn)(void *), const char *expected)
{
	struct gev_spawn_attr attr = {.identity = identity};
	memset(trace, 0, sizeof trace);
	n = 0;
	struct gev_greenlet *g = gev_spawn_with(&attr, fn, trace);
	void *value = NULL;
	cr_expect_eq(gev_join(g, 10, &value), 0);
	cr_expect_eq(value, trace);
	cr_expect_eq(gev_error(g), 0);
	cr_expect_str_eq(trace, expected);
	gev_release(g);
}

Test(end, exit_leaves_from_deep_within)
{
	for (int i = 0; i < 100; i++) {
		exit_with(GEV_IDENTITY_SHARED, exit_deep, "12");
		exit_with(GEV_IDENTITY_OWN, exit_deep, "12");
	}
}

static void exit_again(void *arg)
{
	note(arg);
	gev_exit(trace);
}

static void *exit_in_defers(void *arg)
{
	gev_defer(note, "3");
	gev_defer(exit_again, "2");
	gev_defer(exit_again, "1");
	return "not this";
}

Test(end, exit_in_a_defer_goes_on_with_the_next)
{
	exit_with(GEV_IDENTITY_SHARED, exit_in_defers, "123");
	exit_with(GEV_IDENTITY_OWN, exit_in_defers, "123");
}

/* This file is compiled without -fexceptions, and with: there the handlers are libc's, which need an identity; here the compiler's. */
static void *exit_through_handlers(void *arg)
{
	pthread_cleanup_push(note, "2");
	pthread_cleanup_push(note_slowly, "1");
	gev_yield();
	deeper(3, arg);
	pthread_cleanup_pop(0);
	pthread_cleanup_pop(0);
	return NULL;
}

Test(end, exit_runs_cleanup_handlers)
{
	exit_with(GEV_IDENTITY_OWN, exit_through_handlers, "12");
#ifdef __EXCEPTIONS
	exit_with(GEV_IDENTITY_SHARED, exit_through_handlers, "12");
#endif
}

static void *exit_as_thread(void *arg)
{
	gev_defer(note, "d");
	pthread_cleanup_push(note, "c");
	pthread_exit(arg);
	pthread_cleanup_pop(0);
	return NULL;
}

Test(end, pthread_exit_ends_one_with_an_identity)
{
	struct gev_spawn_attr attr = {.identity = GEV_IDENTITY_OWN};
	for (int i = 0; i < 3; i++) {
		struct gev_greenlet *g = gev_spawn_with(&attr, exit_as_thread, NULL);
		cr_expect_eq(gev_join(g, 10, NULL), 0);
		gev_release(g);
	}
	cr_expect_str_eq(trace, "cdcdcd");
}

static void *exit_plain_thread(void *arg)
{
	gev_exit(arg);
}

static void *exit_hub_thread(void *arg)
{
	gev_sleep(0);
	gev_exit(arg);
}

Test(end, exit_on_another_threads_own_flow_is_its_end)
{
	pthread_t t;
	void *value;
	cr_assert_eq(pthread_create(&t, NULL, exit_plain_thread, &n), 0);
	cr_assert_eq(pthread_join(t, &value), 0);
	cr_expect_eq(value, &n);
	cr_assert_eq(pthread_create(&t, NULL, exit_hub_thread, trace), 0);
	cr_assert_eq(pthread_join(t, &value), 0);
	cr_expect_eq(value, trace);
}

/* ---- What a child says on standard error, and how it ends ---- */

static char text[4096];

/* A leak checker has things of its own to say when such a child exits. */
static void keep_ours(void)
{
	char *to = text;
	for (char *line = text, *next; *line; line = next) {
		next = line + strcspn(line, "\n");
		next += *next == '\n';
		if (strncmp(line, "libgev: ", 8))
			continue;
		memmove(to, line, (size_t)(next - line));
		to += next - line;
	}
	*to = '\0';
}

static int in_child(void (*body)(void))
{
	int fds[2];
	cr_assert_eq(pipe(fds), 0);
	pid_t pid = fork();
	if (pid == 0) {
		dup2(fds[1], STDERR_FILENO);
		close(fds[0]);
		close(fds[1]);
		body();
		_exit(99);
	}
	close(fds[1]);
	size_t length = 0;
	ssize_t r;
	while ((r = read(fds[0], text + length, sizeof text - 1 - length)) > 0)
		length += (size_t)r;
	text[length] = '\0';
	keep_ours();
	close(fds[0]);
	int status = -1;
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	return status;
}

static void *go_on(void *arg)
{
	gev_sleep(0.005);
	gev__warn("gone on");
	return NULL;
}

static void main_leaves(void)
{
	gev_release(gev_spawn(go_on, NULL));
	gev_exit(NULL);
}

Test(end, exit_in_main_lets_the_others_go_on)
{
	int status = in_child(main_leaves);
	cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %#x", status);
	cr_expect_str_eq(text, "libgev: gone on\n");
}

static void *fail_twice(void *arg)
{
	if (gev_fail(ECONNREFUSED, "dialling") != NULL)
		_exit(1);
	return gev_fail(*(int *)arg, "again");
}

static void *fail_without_words(void *arg)
{
	return gev_fail(-3, NULL);
}

static void *fail_when_killed(void *arg)
{
	gev_sleep(100);
	return gev_fail(errno, "sleeping");
}

static void failures(void)
{
	struct gev_spawn_attr named = {.name = "worker"};
	int pipe_error = EPIPE;
	struct gev_greenlet *g[] = {
		gev_spawn_with(&named, fail_twice, &pipe_error),
		gev_spawn(fail_without_words, NULL),
		gev_spawn(fail_when_killed, NULL),
	};
	void *value = &named;
	gev_yield();
	gev_kill(g[2]);
	for (int i = 0; i < 3; i++)
		if (gev_join(g[i], 10, &value) || value)
			_exit(2);
	gev_fail(EIO, "main's own");
	_exit(gev_error(g[0]) == EPIPE && gev_error(g[1]) == EINVAL && gev_error(g[2]) == ECANCELED ? 0 : 3);
}

Test(end, a_failure_is_reported_once_with_the_name)
{
	int status = in_child(failures);
	cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %#x", status);
	char *second = strchr(text, '\n') + 1;
	char *third = strchr(second, '\n') + 1;
	cr_expect_eq(strstr(text, "libgev: greenlet \"worker\" failed: dialling: Connection refused\n"), text, "%s",
		     text);
	cr_expect_not_null(strstr(second, "(it has no name) failed: Invalid argument\n"), "%s", second);
	cr_expect_str_eq(third, "libgev: the main greenlet failed: main's own: Input/output error\n");
}

/* ---- Handles that nobody gave back ---- */

static void *wait_long(void *arg)
{
	gev_sleep(1000);
	return NULL;
}

static void forget_handles(void)
{
	setenv("GEV_HANDLES", "1", 1);
	struct gev_spawn_attr lost = {.name = "lost"}, ended = {.name = "ended"}, kept = {.name = "kept"};
	gev_spawn_with(&lost, wait_long, NULL);
	gev_join(gev_spawn_with(&ended, nested_defers, NULL), 10, NULL);
	struct gev_greenlet *g = gev_spawn_with(&kept, nested_defers, NULL);
	gev_join(g, 10, NULL);
	gev_release(g);
	gev_spawn_detached(&kept, wait_long, NULL);
	gev_yield();
	exit(0);
}

Test(end, handles_that_nobody_gave_back_are_listed)
{
	int status = in_child(forget_handles);
	cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %#x", status);
	cr_expect_not_null(strstr(text, "\"lost\""), "%s", text);
	cr_expect_not_null(strstr(text, "has not ended; references: 1"), "%s", text);
	cr_expect_not_null(strstr(text, "\"ended\""), "%s", text);
	cr_expect_null(strstr(text, "\"kept\""), "%s", text);
}

static void forget_very_many(void)
{
	setenv("GEV_HANDLES", "1", 1);
	for (int i = 0; i < 50; i++)
		gev_spawn(wait_long, NULL);
	exit(0);
}

static void forget_without_asking(void)
{
	unsetenv("GEV_HANDLES");
	gev_spawn(wait_long, NULL);
	exit(0);
}

static void *forget_on_a_thread(void *arg)
{
	struct gev_spawn_attr lost = {.name = "left"};
	return gev_spawn_with(&lost, wait_long, NULL);
}

static void forget_elsewhere(void)
{
	setenv("GEV_HANDLES", "1", 1);
	pthread_t t;
	pthread_create(&t, NULL, forget_on_a_thread, NULL);
	pthread_join(t, NULL);
	_exit(0);
}

Test(end, the_list_is_short_and_comes_only_when_asked_for)
{
	in_child(forget_very_many);
	cr_expect_not_null(strstr(text, "not released: 30 greenlets more\n"), "%s", text);
	in_child(forget_without_asking);
	cr_expect_str_empty(text);
	in_child(forget_elsewhere);
	cr_expect_not_null(strstr(text, "\"left\""), "%s", text);
}
