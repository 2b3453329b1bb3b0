// C++ exceptions of greenlets that share a thread pointer: each is in the middle of its own throw, catch and unwinding while the others run.
#include <criterion/criterion.h>
#include <gev/gev.h>

#include <exception>
#include <stdexcept>
#include <string>

static int rounds_done;

struct yields_when_it_goes {
	int me;
	explicit yields_when_it_goes(int m) : me(m)
	{
	}
	~yields_when_it_goes()
	{
		cr_expect(std::uncaught_exceptions() == 1, "%d: on its way are %d", me, std::uncaught_exceptions());
		gev_yield();
		cr_expect(std::uncaught_exceptions() == 1, "%d, afterwards: %d", me, std::uncaught_exceptions());
		try {
			throw me;
		} catch (int inner) {
			gev_yield();
			cr_expect(inner == me);
		}
	}
};

static void one_round(int me, const std::string &what)
{
	try {
		yields_when_it_goes guard(me);
		throw std::runtime_error(what);
	} catch (const std::exception &e) {
		cr_expect(what == e.what());
		gev_yield();
		std::exception_ptr kept = std::current_exception();
		cr_assert(kept != nullptr, "%d: the exception that it handles is gone", me);
		try {
			gev_yield();
			throw;
		} catch (const std::runtime_error &again) {
			gev_yield();
			cr_expect(what == again.what(), "%s, not %s", what.c_str(), again.what());
		}
		try {
			std::rethrow_exception(kept);
		} catch (const std::exception &third) {
			cr_expect(what == third.what());
		}
	}
	cr_expect(std::uncaught_exceptions() == 0 && std::current_exception() == nullptr);
}

static void *run(void *arg)
{
	int me = static_cast<int>(reinterpret_cast<intptr_t>(arg));
	for (int i = 0; i < 50; i++) {
		one_round(me, "greenlet " + std::to_string(me) + " round " + std::to_string(i));
		rounds_done++;
	}
	return nullptr;
}

static void many(int identity)
{
	enum { N = 5 };
	gev_spawn_attr attr = {};
	attr.identity = identity;
	gev_greenlet *g[N];
	for (intptr_t i = 0; i < N; i++)
		cr_assert((g[i] = gev_spawn_with(&attr, run, reinterpret_cast<void *>(i))) != nullptr);
	// The OS thread's own flow is in a catch of its own all the time.
	try {
		throw std::string("main");
	} catch (const std::string &mine) {
		cr_expect(gev_joinall(g, N, 0, 30) == N);
		cr_expect(mine == "main" && std::current_exception() != nullptr);
	}
	cr_expect(std::current_exception() == nullptr && rounds_done == N * 50);
	for (gev_greenlet *one : g)
		gev_release(one);
}

Test(exceptions, of_greenlets_that_share_an_identity)
{
	many(GEV_IDENTITY_SHARED);
}

Test(exceptions, of_greenlets_with_one_of_their_own)
{
	many(GEV_IDENTITY_OWN);
}

// Whoever begins while another one handles an exception handles none.
static void *begins(void *arg)
{
	return std::current_exception() == nullptr && std::uncaught_exceptions() == 0 ? arg : nullptr;
}

Test(exceptions, a_new_greenlet_has_none)
{
	int one;
	void *value = nullptr;
	try {
		throw 1;
	} catch (int) {
		gev_greenlet *g = gev_spawn(begins, &one);
		cr_assert(g != nullptr);
		cr_expect(gev_join(g, 30, &value) == 0);
		gev_release(g);
	}
	cr_expect(value == &one);
}

// Left through a catch by gev_exit, it takes nothing of the others' along and leaves nothing behind.
static void *exits(void *arg)
{
	try {
		throw std::runtime_error("in the middle");
	} catch (const std::exception &) {
		gev_yield();
		gev_exit(arg);
	}
	return nullptr;
}

Test(exceptions, an_exit_from_a_catch)
{
	gev_greenlet *g[2] = {gev_spawn(exits, nullptr), gev_spawn(run, nullptr)};
	cr_expect(gev_joinall(g, 2, 0, 30) == 2);
	cr_expect(begins(&rounds_done) == &rounds_done);
	gev_release(g[0]);
	gev_release(g[1]);
}
