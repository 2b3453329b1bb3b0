/* C++: std::thread, mutexes, condition variables on the steady clock, futures, call_once, shared and timed mutexes. */
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <future>
#include <mutex>
#include <shared_mutex>
#include <thread>
#include <vector>

#include "twin.h"

using namespace std::chrono_literals;

int main()
{
	std::mutex lock;
	std::condition_variable changed;
	std::vector<std::thread> threads;
	int here = 0, sum = 0;
	bool go = false;
	for (int i = 0; i < 20; i++)
		threads.emplace_back([&, i] {
			std::unique_lock<std::mutex> held(lock);
			here++;
			changed.notify_all();
			changed.wait(held, [&] { return go; });
			sum += i;
		});
	{
		std::unique_lock<std::mutex> held(lock);
		changed.wait(held, [&] { return here == 20; });
		report_threads();
		go = true;
		changed.notify_all();
	}
	for (auto &t : threads)
		t.join();
	printf("sum %d\n", sum);

	std::promise<int> promise;
	std::future<int> future = promise.get_future();
	std::thread asker([&] { printf("the future gave %d\n", future.get()); });
	std::this_thread::sleep_for(1ms);
	promise.set_value(7);
	asker.join();

	auto late = std::async(std::launch::async, [] {
		std::this_thread::sleep_for(100ms);
		return 8;
	});
	printf("not yet: %d\n", late.wait_for(1ms) == std::future_status::timeout);
	printf("async %d\n", late.get());
	auto failing = std::async(std::launch::async, []() -> int { throw std::string("thrown in a thread"); });
	try {
		failing.get();
	} catch (const std::string &what) {
		printf("%s\n", what.c_str());
	}

	std::unique_lock<std::mutex> held(lock);
	printf("steady: %d\n", changed.wait_for(held, 20ms) == std::cv_status::timeout);
	printf("system: %d\n",
	       changed.wait_until(held, std::chrono::system_clock::now() + 20ms) == std::cv_status::timeout);
	held.unlock();

	std::once_flag once;
	std::atomic<int> ran{0}, passed{0};
	threads.clear();
	for (int i = 0; i < 10; i++)
		threads.emplace_back([&] {
			std::call_once(once, [&] {
				std::this_thread::sleep_for(10ms);
				ran++;
			});
			check(ran == 1);
			passed++;
		});
	for (auto &t : threads)
		t.join();
	printf("once %d, passed %d\n", ran.load(), passed.load());

	std::timed_mutex timed;
	std::recursive_timed_mutex recursive;
	std::shared_mutex shared;
	std::shared_timed_mutex shared_timed;
	std::lock_guard<std::timed_mutex> a(timed);
	std::lock_guard<std::recursive_timed_mutex> b(recursive), c(recursive);
	std::unique_lock<std::shared_mutex> d(shared);
	std::unique_lock<std::shared_timed_mutex> e(shared_timed);
	std::thread([&] {
		printf("busy: %d %d %d %d %d\n", timed.try_lock_for(10ms), recursive.try_lock_for(10ms),
		       shared.try_lock(), shared_timed.try_lock_for(10ms), shared_timed.try_lock_shared_for(10ms));
	}).join();
	std::thread detached([] {});
	detached.detach();
	printf("joinable: %d\n", detached.joinable());
	return 0;
}
