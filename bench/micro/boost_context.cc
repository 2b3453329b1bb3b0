// micro_boost_context: Boost.Context's switch alone, as its fiber type offers it.
#include <boost/context/fiber.hpp>

#include "bench/micro/micro.h"

namespace ctx = boost::context;

int main(int argc, char **argv)
{
	micro_begin(argc, argv);
	long n = micro_times(5000000), arrivals = 0;
	ctx::fiber there{[&](ctx::fiber &&back) {
		for (;;) {
			arrivals++;
			back = std::move(back).resume();
		}
		return std::move(back);
	}};
	there = std::move(there).resume();
	arrivals = 0;
	double from = micro_now();
	for (long i = 0; i < n; i++)
		there = std::move(there).resume();
	micro_report(ROW_RAW, micro_now() - from, 2 * n);
	micro_must(arrivals == n, "switching");
	_Exit(0); // the other flow never returns
}
