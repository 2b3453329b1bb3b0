// What ends with a greenlet that has an identity of its own, as with a thread: its thread_local objects, then the values of its keys. Not with one that
// shares the OS thread's.
#include <criterion/criterion.h>
#include <gev/gev.h>

#include <malloc.h>
#include <pthread.h>
#include <string>

enum { FAR = 100 }; // so many keys that some lie outside of struct pthread

static std::string trace;
static pthread_key_t near_key, far_key, again_key;

struct traced {
	const char *name = nullptr;
	~traced()
	{
		if (name == nullptr)
			return;
		if (gev_sleep(0.0005) == 0) // a destructor may wait
			trace += name;
	}
};

static thread_local traced first, second;

static void end_value(void *value)
{
	gev_yield();
	trace += static_cast<const char *>(value);
}

static void end_and_set_again(void *value)
{
	const char *text = static_cast<const char *>(value);
	trace += *text;
	if (text[1])
		pthread_setspecific(again_key, text + 1);
}

static void deferred(void *arg)
{
	trace += static_cast<const char *>(arg);
}

enum way { RETURNS, EXITS, IS_KILLED };

static void *run(void *arg)
{
	way how = *static_cast<way *>(arg);
	first.name = "1";
	second.name = "2";
	pthread_setspecific(near_key, "n");
	pthread_setspecific(far_key, "f");
	pthread_setspecific(again_key, "abc");
	gev_defer(deferred, const_cast<char *>("d"));
	if (how == IS_KILLED)
		gev_sleep(GEV_FOREVER);
	if (how == EXITS)
		gev_exit(arg);
	return arg;
}

static void make_keys()
{
	static pthread_key_t between[FAR];
	cr_assert(pthread_key_create(&near_key, end_value) == 0 && near_key < 32);
	for (pthread_key_t &k : between)
		cr_assert(pthread_key_create(&k, nullptr) == 0);
	cr_assert(pthread_key_create(&far_key, end_value) == 0 && far_key >= 32);
	cr_assert(pthread_key_create(&again_key, end_and_set_again) == 0);
}

static void one(int identity, way how, const char *expected)
{
	gev_spawn_attr attr = {};
	attr.identity = identity;
	trace.clear();
	gev_greenlet *g = gev_spawn_with(&attr, run, &how);
	cr_assert(g != nullptr);
	gev_yield();
	if (how == IS_KILLED)
		gev_kill(g);
	void *value = nullptr;
	cr_expect(gev_join(g, 30, &value) == 0 && value == &how);
	cr_expect(trace == expected, "%d: %s", how, trace.c_str());
	gev_release(g);
}

Test(destructors, run_at_the_end_of_an_identity_whatever_way_it_comes)
{
	make_keys();
	for (way how : {RETURNS, EXITS, IS_KILLED})
		one(GEV_IDENTITY_OWN, how, "d21nfabc");
	cr_expect(pthread_getspecific(near_key) == nullptr && first.name == nullptr);
}

Test(destructors, do_not_run_with_the_OS_threads_identity)
{
	make_keys();
	one(GEV_IDENTITY_SHARED, RETURNS, "d");
	cr_expect(pthread_getspecific(far_key) != nullptr && first.name != nullptr);
	first.name = second.name = nullptr;
}

// The value of a key that was deleted is nobody's any more, and one that is made anew in its place has none.
static void *set_and_delete(void *arg)
{
	pthread_setspecific(near_key, "x");
	pthread_setspecific(far_key, "y");
	pthread_key_delete(near_key);
	pthread_key_create(static_cast<pthread_key_t *>(arg), end_value);
	return arg;
}

Test(destructors, not_for_a_key_that_was_deleted)
{
	pthread_key_t next;
	make_keys();
	gev_spawn_attr attr = {};
	attr.identity = GEV_IDENTITY_OWN;
	gev_greenlet *g = gev_spawn_with(&attr, set_and_delete, &next);
	cr_assert(g != nullptr);
	cr_expect(gev_join(g, 30, nullptr) == 0);
	gev_release(g);
	cr_expect(next == near_key && trace == "y", "%s", trace.c_str());
}

Test(destructors, leave_nothing_behind)
{
	enum { N = 500 };
	way how = RETURNS;
	gev_spawn_attr attr = {};
	attr.identity = GEV_IDENTITY_OWN;
	make_keys();
	trace.reserve(100000);
	size_t before = 0;
	for (int i = 0; i < N; i++) {
		gev_greenlet *g = gev_spawn_with(&attr, run, &how);
		cr_assert(g != nullptr && gev_join(g, 30, nullptr) == 0);
		gev_release(g);
		if (i == N / 2)
			before = mallinfo2().uordblks;
	}
	cr_expect(mallinfo2().uordblks == before, "%zu, %zu", mallinfo2().uordblks, before);
}
