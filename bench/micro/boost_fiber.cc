// micro_boost_fiber: Boost.Fiber with its own scheduler and a pool of stacks.
#include <boost/fiber/all.hpp>

#include <vector>

#include "bench/micro/micro.h"

namespace fib = boost::fibers;

static fib::pooled_fixedsize_stack stacks{65536};
static long ran;

template <typename Function> static fib::fiber spawn(Function function)
{
	return fib::fiber{std::allocator_arg, stacks, function};
}

static void yields(const char *what, int fibers, long total)
{
	long each = total / fibers + 1;
	std::vector<fib::fiber> all;
	ran = 0;
	for (int i = 0; i < fibers; i++)
		all.push_back(spawn([=] {
			for (long k = 0; k < each; k++)
				boost::this_fiber::yield();
			ran++;
		}));
	double from = micro_now();
	for (auto &f : all)
		f.join();
	micro_report(what, micro_now() - from, each * fibers);
	micro_must(ran == fibers, "running");
}

static void spawn_join(long n)
{
	ran = 0;
	double from = micro_now();
	for (long i = 0; i < n; i++)
		spawn([] { ran++; }).join();
	micro_report(ROW_SPAWN, micro_now() - from, n);
	micro_must(ran == n, "running");
}

static void channel(long n)
{
	fib::unbuffered_channel<long> there, back;
	fib::fiber other = spawn([&] {
		long value;
		while (there.pop(value) == fib::channel_op_status::success)
			back.push(value + 1);
	});
	double from = micro_now();
	for (long i = 0; i < n; i++) {
		long value = 0;
		there.push(i);
		micro_must(back.pop(value) == fib::channel_op_status::success && value == i + 1, "a channel");
	}
	micro_report(ROW_CHANNEL, micro_now() - from, 2 * n);
	there.close();
	other.join();
}

static void hand_off(long n)
{
	fib::mutex lock;
	fib::condition_variable turned;
	int turn = 0;
	auto take_turns = [&](int me) {
		std::unique_lock<fib::mutex> held{lock};
		for (long i = 0; i < n; i++) {
			while (turn != me)
				turned.wait(held);
			turn = !me;
			turned.notify_one();
		}
	};
	fib::fiber other = spawn([&] { take_turns(1); });
	double from = micro_now();
	take_turns(0);
	other.join();
	micro_report(ROW_SEMAPHORE, micro_now() - from, 2 * n);
}

int main(int argc, char **argv)
{
	micro_begin(argc, argv);
	yields(ROW_YIELD_2, 2, micro_times(1000000));
	yields(ROW_YIELD_1000, 1000, micro_times(1000000));
	spawn_join(micro_times(300000));
	hand_off(micro_times(300000));
	channel(micro_times(300000));
	return 0;
}
