// gev_exit through C++: destructors, on either kind of identity, many at once, also when they park.
#include <criterion/criterion.h>
#include <gev/gev.h>

#include <pthread.h>
#include <stdexcept>
#include <string>
#include <sys/wait.h>
#include <unistd.h>

static std::string trace;
static int alive;

struct noisy {
	std::string name;
	bool slow;
	explicit noisy(const char *n, bool s = false) : name(n), slow(s)
	{
		alive++;
	}
	~noisy()
	{
		if (slow)
			gev_sleep(0.0005);
		trace += name;
		alive--;
	}
};

static void leave(void *value)
{
	noisy c("c");
	gev_exit(value);
}

static void between(void *value)
{
	noisy b("b", true);
	try {
		leave(value);
	} catch (const std::exception &) {
		trace += "!"; // it is none
	} catch (...) {
		trace += "x";
		throw; // as for pthread_exit: on it must go
	}
	trace += "!";
}

static void *run(void *arg)
{
	noisy a("a");
	gev_yield();
	between(arg);
	return nullptr;
}

static void exits(int identity)
{
	enum { N = 40 };
	gev_spawn_attr attr = {};
	attr.identity = identity;
	gev_greenlet *g[N];
	int values[N];
	for (int i = 0; i < N; i++)
		cr_assert((g[i] = gev_spawn_with(&attr, run, &values[i])) != nullptr);
	cr_expect(gev_joinall(g, N, 0, 30) == N);
	for (int i = 0; i < N; i++) {
		void *value = nullptr;
		cr_expect(gev_join(g[i], 0, &value) == 0 && value == &values[i]);
		gev_release(g[i]);
	}
	cr_expect(alive == 0);
	size_t count[256] = {};
	for (unsigned char c : trace)
		count[c]++;
	for (unsigned char c : {'a', 'b', 'c', 'x'})
		cr_expect(count[c] == N, "%s", trace.c_str());
	cr_expect(count[static_cast<unsigned char>('!')] == 0, "%s", trace.c_str());
}

Test(end_cxx, exit_runs_destructors_of_native_greenlets)
{
	exits(GEV_IDENTITY_SHARED);
}

Test(end_cxx, exit_runs_destructors_with_an_identity)
{
	exits(GEV_IDENTITY_OWN);
}

static void handler(void *arg)
{
	trace += static_cast<const char *>(arg);
}

static void *with_handlers(void *arg)
{
	noisy a("a");
	pthread_cleanup_push(handler, const_cast<char *>("2"));
	pthread_cleanup_push(handler, const_cast<char *>("1"));
	gev_yield();
	leave(arg);
	pthread_cleanup_pop(0);
	pthread_cleanup_pop(0);
	return nullptr;
}

Test(end_cxx, exit_runs_cleanup_handlers)
{
	for (int identity = GEV_IDENTITY_SHARED; identity <= GEV_IDENTITY_OWN; identity++) {
		gev_spawn_attr attr = {};
		attr.identity = identity;
		trace.clear();
		gev_greenlet *g = gev_spawn_with(&attr, with_handlers, &trace);
		void *value = nullptr;
		cr_expect(gev_join(g, 10, &value) == 0 && value == &trace);
		cr_expect(trace == "c12a", "%d: %s", identity, trace.c_str());
		gev_release(g);
	}
}

static void throw_and_catch(void *)
{
	try {
		throw std::runtime_error("inside a defer");
	} catch (const std::runtime_error &) {
		trace += "d";
	}
}

static void *exit_with_defer(void *arg)
{
	gev_defer(throw_and_catch, nullptr);
	leave(arg);
	return nullptr;
}

Test(end_cxx, exceptions_work_in_defers_after_an_exit)
{
	gev_greenlet *g = gev_spawn(exit_with_defer, nullptr);
	cr_expect(gev_join(g, 10, nullptr) == 0);
	cr_expect(trace == "cd", "%s", trace.c_str());
	gev_release(g);
}

static void *swallow(void *arg)
{
	try {
		gev_exit(arg);
	} catch (...) {
	}
	return nullptr;
}

Test(end_cxx, who_swallows_it_is_told)
{
	pid_t pid = fork();
	if (pid == 0) {
		close(STDERR_FILENO);
		gev_join(gev_spawn(swallow, nullptr), 10, nullptr);
		_exit(0);
	}
	int status = -1;
	waitpid(pid, &status, 0);
	cr_expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT, "status %#x", status);
}
