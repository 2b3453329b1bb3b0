/* C++20's threads as a program uses them: jthread and stop tokens, async, packaged tasks, latch, barrier, semaphores,
 * atomic::wait, exceptions through futures, thread_local objects. Prints what must be the same in every run. */
#include <atomic>
#include <barrier>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <future>
#include <latch>
#include <mutex>
#include <semaphore>
#include <shared_mutex>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

using namespace std::chrono_literals;

static std::atomic<int> destroyed;

struct Local {
	int value = 0;
	~Local()
	{
		destroyed++;
	}
};

static thread_local Local local;

static void latches_and_semaphores()
{
	std::latch ready(8), done(8);
	std::counting_semaphore<3> three(3);
	std::atomic<int> inside = 0, most = 0;
	std::vector<std::jthread> threads;
	for (int i = 0; i < 8; i++)
		threads.emplace_back([&] {
			ready.arrive_and_wait();
			for (int round = 0; round < 50; round++) {
				three.acquire();
				int now = ++inside, seen = most;
				while (seen < now && !most.compare_exchange_weak(seen, now)) {
				}
				std::this_thread::yield();
				inside--;
				three.release();
			}
			local.value++;
			done.count_down();
		});
	done.wait();
	threads.clear();
	std::printf("latch, semaphore: never more than three: %d, thread_locals destroyed: %d\n", most <= 3,
		    destroyed.load());
}

static void barriers()
{
	int rounds = 0;
	auto count = [&]() noexcept { rounds++; };
	std::barrier meet(6, count);
	std::vector<std::jthread> threads;
	for (int i = 0; i < 6; i++)
		threads.emplace_back([&] {
			for (int round = 0; round < 100; round++)
				meet.arrive_and_wait();
		});
	threads.clear();
	std::printf("barrier: %d rounds\n", rounds);
}

static void atomic_wait()
{
	std::atomic<int> turn = 0;
	std::atomic_flag end;
	std::jthread other([&] {
		for (int i = 0; i < 500; i++) {
			turn.wait(i * 2);
			turn.store(i * 2 + 2);
			turn.notify_one();
		}
		end.test_and_set();
		end.notify_all();
	});
	for (int i = 0; i < 500; i++) {
		turn.store(i * 2 + 1);
		turn.notify_one();
		turn.wait(i * 2 + 1);
	}
	end.wait(false);
	std::printf("atomic::wait: %d\n", turn.load());
}

static void futures()
{
	auto fails = std::async(std::launch::async, []() -> int { throw std::runtime_error("thrown there"); });
	auto adds = std::async(
		std::launch::async, [](int a, int b) { return a + b; }, 40, 2);
	std::packaged_task<std::string()> task([] { return std::string("packaged"); });
	auto text = task.get_future();
	std::jthread runs(std::move(task));
	try {
		fails.get();
	} catch (const std::runtime_error &e) {
		std::printf("async: %s\n", e.what());
	}
	std::printf("async: %d, %s\n", adds.get(), text.get().c_str());
	std::promise<void> never;
	std::printf("a promise that is not kept in time: %d\n",
		    never.get_future().wait_for(5ms) == std::future_status::timeout);
}

static void stopping()
{
	std::mutex lock;
	std::condition_variable_any woken;
	bool stopped = false;
	{
		std::jthread waits([&](std::stop_token token) {
			std::unique_lock held(lock);
			woken.wait(held, token, [] { return false; });
			stopped = token.stop_requested();
		});
	}
	std::printf("jthread: stopped: %d\n", stopped);
}

static void sharing()
{
	std::shared_mutex lock;
	std::binary_semaphore timed(0);
	long sum = 0;
	std::vector<std::jthread> threads;
	for (int i = 0; i < 8; i++)
		threads.emplace_back([&, i] {
			for (int round = 0; round < 200; round++) {
				if (i % 4 == 0) {
					std::unique_lock held(lock);
					sum++;
				} else {
					std::shared_lock held(lock);
					if (sum < 0)
						std::puts("never");
				}
			}
		});
	threads.clear();
	std::printf("shared_mutex: %ld, try_acquire_for: %d\n", sum, timed.try_acquire_for(2ms));
}

int main()
{
	latches_and_semaphores();
	barriers();
	atomic_wait();
	futures();
	stopping();
	sharing();
	return 0;
}
