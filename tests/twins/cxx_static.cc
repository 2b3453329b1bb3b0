/* A function-local static whose initialiser parks: the others wait for it, none gets an exception, and it runs once. */
#include <thread>
#include <vector>

#include "twin.h"

static int made, failed;
static sem_t inside, go, entered;

struct Slow {
	int value;
	Slow()
	{
		made++;
		sem_post(&inside);
		wait_for(&go);
		value = 42;
	}
};

static int use()
{
	static Slow slow;
	return slow.value;
}

struct Fails {
	Fails()
	{
		if (failed++ < 2) {
			usleep(1000);
			throw 1;
		}
	}
};

static void use_failing()
{
	static Fails fails;
}

int main()
{
	std::vector<std::thread> threads;
	sem_init(&inside, 0, 0);
	sem_init(&go, 0, 0);
	sem_init(&entered, 0, 0);
	for (int i = 0; i < 10; i++)
		threads.emplace_back([] {
			sem_post(&entered);
			check(use() == 42);
		});
	for (int i = 0; i < 10; i++)
		wait_for(&entered);
	wait_for(&inside);
	report_threads();
	sem_post(&go);
	for (auto &t : threads)
		t.join();
	printf("made %d\n", made);

	int thrown = 0;
	threads.clear();
	for (int i = 0; i < 5; i++)
		threads.emplace_back([&] {
			try {
				use_failing();
			} catch (int) {
				__atomic_add_fetch(&thrown, 1, __ATOMIC_RELAXED);
			}
		});
	for (auto &t : threads)
		t.join();
	printf("tried %d, thrown %d\n", failed, thrown);
	return 0;
}
