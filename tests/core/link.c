/* Links: called by the hub, in order, after the end. */
#include <criterion/criterion.h>
#include <gev/gev.h>

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static char trace[2000];
static size_t n;

static void note(struct gev_greenlet *g, void *arg)
{
	trace[n++] = *(const char *)arg;
}

static void *work(void *arg)
{
	gev_yield();
	trace[n++] = 'w';
	return arg;
}

Test(link, called_in_order_after_the_end)
{
	struct gev_greenlet *g = gev_spawn(work, NULL);
	cr_expect_eq(gev_link(g, note, "a"), 0);
	cr_expect_eq(gev_link(g, note, "b"), 0);
	cr_expect_eq(gev_link(g, note, "c"), 0);
	cr_expect_eq(gev_join(g, 10, NULL), 0);
	gev_sleep(0.0001);
	cr_expect_str_eq(trace, "wabc");
	cr_expect_eq(gev_link(g, note, "d"), 0);
	cr_expect_str_eq(trace, "wabc", "never before gev_link returns");
	gev_yield();
	cr_expect_str_eq(trace, "wabcd");
	gev_release(g);
}

static void number(struct gev_greenlet *g, void *arg)
{
	if ((intptr_t)arg == (intptr_t)n)
		n++;
}

Test(link, a_thousand_keep_their_order)
{
	struct gev_greenlet *g = gev_spawn(work, NULL);
	for (intptr_t i = 1; i <= 1000; i++)
		cr_assert_eq(gev_link(g, number, (void *)i), 0);
	cr_expect_eq(gev_join(g, 10, NULL), 0);
	gev_yield();
	cr_expect_eq(n, 1001);
	gev_release(g);
}

Test(link, unlinked_ones_are_not_called)
{
	struct gev_greenlet *g = gev_spawn(work, NULL);
	gev_link(g, note, "a");
	gev_link(g, note, "b");
	gev_link(g, note, "c");
	static char b[] = "b"; /* not const: a compiler may make one of equal constants */
	cr_expect_eq(gev_unlink(g, note, b), -1, "another argument");
	cr_expect_eq(errno, ENOENT);
	cr_expect_eq(gev_unlink(g, number, "b"), -1);
	cr_expect_eq(errno, ENOENT);
	cr_expect_eq(gev_link(g, note, trace), 0);
	cr_expect_eq(gev_unlink(g, note, trace), 0);
	cr_expect_eq(gev_unlink(g, note, trace), -1);
	cr_expect_eq(gev_link(g, note, "d"), 0);
	cr_expect_eq(gev_join(g, 10, NULL), 0);
	gev_yield();
	cr_expect_str_eq(trace, "wabcd");
	gev_release(g);
}

static void take_next_off(struct gev_greenlet *g, void *arg)
{
	trace[n++] = '-';
	cr_expect_eq(gev_unlink(g, note, arg), 0);
	cr_expect_eq(gev_link(g, note, trace), 0);
	trace[n] = '+';
}

Test(link, a_link_may_link_and_unlink)
{
	static char x[] = "x";
	struct gev_greenlet *g = gev_spawn(work, NULL);
	gev_link(g, take_next_off, x);
	gev_link(g, note, x);
	cr_expect_eq(gev_join(g, 10, NULL), 0);
	for (int i = 0; i < 3; i++)
		gev_yield();
	cr_expect_str_eq(trace, "w-w");
	gev_release(g);
}

static int errors[8], values;

static void try_to_block(struct gev_greenlet *g, void *arg)
{
	void *value = NULL;
	struct gev_greenlet *other = arg;
	struct gev_timeout t;
	int i = 0;
	errors[i++] = gev_sleep(1) == -1 ? errno : 0;
	errors[i++] = gev_sleep(0) == -1 ? errno : 0;
	errors[i++] = gev_join(other, 1, NULL) == -1 ? errno : 0;
	errors[i++] = gev_timeout_begin(&t, 1) == -1 ? errno : 0;
	errors[i++] = gev_defer(NULL, NULL) == -1 && gev_defer(free, NULL) == -1 ? errno : 0;
	gev_yield();
	cr_expect_null(gev_self());
	values = gev_join(g, 1, &value) == 0 && value == &values && gev_error(g) == 0 && gev_is_done(g);
	cr_expect_eq(gev_spawn_detached(NULL, work, NULL), 0);
	gev_kill(other);
}

static void *sleep_long(void *arg)
{
	return (void *)(intptr_t)(gev_sleep(100) == -1 ? errno : 0);
}

Test(link, does_not_block_but_may_ask_spawn_and_kill)
{
	struct gev_greenlet *other = gev_spawn(sleep_long, NULL);
	struct gev_greenlet *g = gev_spawn(work, &values);
	gev_link(g, try_to_block, other);
	gev_release(g); /* the hub holds it meanwhile */
	void *error;
	cr_expect_eq(gev_join(other, 10, &error), 0);
	cr_expect_eq((intptr_t)error, ECANCELED);
	for (int i = 0; i < 5; i++)
		cr_expect_eq(errors[i], EPERM, "%d", i);
	cr_expect_eq(values, 1);
	gev_yield();
	gev_yield();
	cr_expect_str_eq(trace, "ww");
	gev_release(other);
}

Test(link, those_who_never_began_have_links_too)
{
	const struct gev_spawn_attr suspended = {.suspended = true};
	struct gev_greenlet *g = gev_spawn_with(&suspended, work, NULL);
	gev_link(g, note, "k");
	gev_kill(g);
	cr_expect_eq(gev_join(g, 10, NULL), 0);
	gev_yield();
	cr_expect_str_eq(trace, "k");
	gev_release(g);
}

Test(link, many_ends_at_once)
{
	for (int i = 0; i < 500; i++) {
		struct gev_greenlet *g = gev_spawn(work, NULL);
		cr_assert_eq(gev_link(g, note, "l"), 0);
		gev_release(g);
	}
	for (int i = 0; i < 10; i++)
		gev_yield();
	size_t links = 0;
	for (size_t i = 0; i < n; i++)
		links += trace[i] == 'l';
	cr_expect_eq(n, 1000);
	cr_expect_eq(links, 500);
}

static void *link_from_afar(void *arg)
{
	return (void *)(intptr_t)(gev_link(arg, note, "x") == -1 && errno == EPERM &&
				  gev_unlink(arg, note, "x") == -1 && errno == EPERM);
}

Test(link, misuse)
{
	struct gev_greenlet *g = gev_spawn(work, NULL);
	pthread_t t;
	void *right;
	cr_expect_eq(gev_link(g, NULL, NULL), -1);
	cr_expect_eq(errno, EINVAL);
	cr_expect_eq(gev_link(gev_self(), note, "m"), -1);
	cr_expect_eq(errno, EPERM);
	cr_assert_eq(pthread_create(&t, NULL, link_from_afar, g), 0);
	pthread_join(t, &right);
	cr_expect_not_null(right);
	gev_join(g, 10, NULL);
	gev_release(g);
}

static void *link_and_end(void *arg)
{
	struct gev_greenlet *g = gev_spawn(work, NULL), *h = gev_spawn(sleep_long, NULL);
	gev_link(g, note, "x");
	gev_link(h, note, "y");
	gev_join(g, 10, NULL);
	gev_ref(g);
	gev_release(g);
	gev_release(h);
	return g; /* the thread ends with links to run, or left */
}

Test(link, a_thread_that_ends_leaves_none_behind)
{
	pthread_t t;
	void *g;
	cr_assert_eq(pthread_create(&t, NULL, link_and_end, NULL), 0);
	pthread_join(t, &g);
	cr_expect(gev_is_done(g));
	cr_expect_eq(gev_link(g, note, "z"), -1);
	gev_release(g);
}
