/* Exceptions across parking: each thread is in the middle of its own throw, catch and unwinding while the others
 * run. */
#include <exception>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "twin.h"

static sem_t turn[4];

/* Lets the other thread run, and comes back when it has parked in its turn. */
static void swap(int me)
{
	sem_post(&turn[1 - me]);
	wait_for(&turn[me]);
}

struct Guard {
	int me;
	~Guard()
	{
		check(std::uncaught_exceptions() == 1);
		swap(me);
		check(std::uncaught_exceptions() == 1);
		try {
			throw me;
		} catch (int inner) {
			swap(me);
			check(inner == me);
		}
	}
};

static void run(int me)
{
	wait_for(&turn[me]);
	for (int i = 0; i < 100; i++) {
		std::string what = "thread " + std::to_string(me) + " round " + std::to_string(i);
		try {
			Guard guard{me};
			throw std::runtime_error(what);
		} catch (const std::exception &e) {
			check(what == e.what());
			swap(me);
			std::exception_ptr kept = std::current_exception();
			try {
				swap(me);
				throw;
			} catch (const std::runtime_error &again) {
				swap(me);
				check(what == again.what());
			}
			try {
				std::rethrow_exception(kept);
			} catch (const std::exception &third) {
				check(what == third.what());
			}
		}
		check(std::uncaught_exceptions() == 0 && !std::current_exception());
	}
	sem_post(&turn[1 - me]);
}

int main()
{
	for (auto &t : turn)
		sem_init(&t, 0, 0);
	std::thread a(run, 0), b(run, 1);
	report_threads();
	try {
		throw 5;
	} catch (int five) {
		sem_post(&turn[0]);
		a.join();
		b.join();
		check(five == 5 && std::current_exception());
	}
	puts("every exception came to its own catch");
	return 0;
}
