/* Greenlet locals. */
#include <criterion/criterion.h>
#include <gev/gev.h>

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>

static struct gev_local *a, *b;
static int destroyed;
static intptr_t sum;

static void destroy(void *value)
{
	destroyed++;
	sum += (intptr_t)value;
}

static void *use(void *arg)
{
	if (gev_local_get(a) || gev_local_get(b))
		return "not NULL at first";
	gev_local_set(a, arg);
	gev_yield();
	if (gev_local_get(a) != arg || gev_local_get(b))
		return "not its own";
	return NULL;
}

Test(local, each_greenlet_has_its_own)
{
	enum { N = 20 };
	struct gev_greenlet *g[N];
	a = gev_local_new(destroy);
	b = gev_local_new(NULL);
	cr_assert(a && b);
	cr_expect_null(gev_local_get(a));
	cr_expect_eq(gev_local_set(a, &a), 0);
	for (intptr_t i = 0; i < N; i++)
		g[i] = gev_spawn(use, (void *)i);
	for (int i = 0; i < N; i++) {
		void *wrong;
		cr_expect_eq(gev_join(g[i], 10, &wrong), 0);
		cr_expect_null(wrong, "%s", (char *)wrong);
		gev_release(g[i]);
	}
	cr_expect_eq(destroyed, N - 1, "0 is NULL, and has no destructor");
	cr_expect_eq(sum, N * (N - 1) / 2);
	cr_expect_eq(gev_local_get(a), &a);
	gev_local_free(a);
	gev_local_free(b);
	gev_local_free(NULL);
}

static int rounds;

static void destroy_and_set(void *value)
{
	rounds++;
	gev_sleep(0.0001); /* it may block */
	gev_local_set(a, value);
}

static void *set_a(void *arg)
{
	gev_local_set(a, arg);
	return NULL;
}

Test(local, what_destructors_set_is_destroyed_a_few_times)
{
	a = gev_local_new(destroy_and_set);
	struct gev_greenlet *g = gev_spawn(set_a, &a);
	cr_expect_eq(gev_join(g, 10, NULL), 0);
	cr_expect_eq(rounds, 4);
	gev_release(g);
}

static void *set_many(void *arg)
{
	struct gev_local **many = arg;
	for (intptr_t i = 0; i < 1024; i += 3)
		if (gev_local_set(many[i], (void *)(i + 1)))
			return "set";
	for (intptr_t i = 0; i < 1024; i++)
		if (gev_local_get(many[i]) != (void *)(i % 3 ? 0 : i + 1))
			return "get";
	return NULL;
}

Test(local, there_are_so_many)
{
	static struct gev_local *many[1024];
	for (int i = 0; i < 1024; i++)
		cr_assert_not_null(many[i] = gev_local_new(destroy));
	cr_expect_null(gev_local_new(NULL));
	cr_expect_eq(errno, EAGAIN);
	struct gev_greenlet *g = gev_spawn(set_many, many);
	void *wrong;
	cr_expect_eq(gev_join(g, 10, &wrong), 0);
	cr_expect_null(wrong, "%s", (char *)wrong);
	cr_expect_eq(destroyed, 342);
	for (int i = 0; i < 1024; i++)
		gev_local_free(many[i]);
	cr_expect_not_null(gev_local_new(NULL));
}

static void *keep_a(void *arg)
{
	gev_local_set(a, arg);
	gev_yield();
	return gev_local_get(b) ? "the last owner's" : NULL;
}

Test(local, a_new_one_does_not_inherit)
{
	a = gev_local_new(destroy);
	struct gev_greenlet *g = gev_spawn(keep_a, &a);
	gev_yield();
	gev_local_free(a);
	b = gev_local_new(destroy);
	void *wrong;
	cr_expect_eq(gev_join(g, 10, &wrong), 0);
	cr_expect_null(wrong, "%s", (char *)wrong);
	cr_expect_eq(destroyed, 0, "nor is a value destroyed whose variable is gone");
}

static void *on_a_thread(void *arg)
{
	if (gev_local_get(a))
		return "another thread's";
	gev_local_set(a, (void *)1);
	gev_release(gev_spawn(set_a, (void *)2));
	gev_yield();
	return NULL;
}

Test(local, the_original_flow_of_a_thread_has_some_too)
{
	pthread_t t;
	void *wrong;
	a = gev_local_new(destroy);
	gev_local_set(a, (void *)100);
	cr_assert_eq(pthread_create(&t, NULL, on_a_thread, NULL), 0);
	pthread_join(t, &wrong);
	cr_expect_null(wrong, "%s", (char *)wrong);
	cr_expect_eq(destroyed, 2);
	cr_expect_eq(sum, 3);
	cr_expect_eq(gev_local_get(a), (void *)100);
}
