// asleep_boost_fiber: Boost's fibers asleep, on its own default stacks.
#include <boost/fiber/all.hpp>

#include <chrono>
#include <vector>

#include "bench/micro/asleep.h"

static struct asleep all;

static __attribute__((noinline)) void deeper()
{
	boost::this_fiber::sleep_for(std::chrono::nanoseconds(static_cast<long>(asleep_ready(&all) * 1e9)));
	all.woken++;
}

int main(int argc, char **argv)
{
	all = asleep_parse(argc, argv);
	std::vector<boost::fibers::fiber> fibers;
	fibers.reserve(static_cast<std::size_t>(all.n));
	asleep_begin(&all);
	for (long i = 0; i < all.n; i++)
		fibers.emplace_back(deeper);
	for (auto &f : fibers)
		f.join();
	asleep_end(&all);
	return 0;
}
