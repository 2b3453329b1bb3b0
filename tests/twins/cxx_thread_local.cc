/* thread_local objects: made at first use in each thread, destroyed at its end, last first, also after pthread_exit;
 * destructors that park; none for a thread that never used them. */
#include <string>
#include <thread>
#include <vector>

#include "twin.h"

static int made, destroyed, unwound;
static sem_t here, go;

struct Counted {
	std::string text = "initial";
	Counted()
	{
		__atomic_add_fetch(&made, 1, __ATOMIC_RELAXED);
	}
	~Counted()
	{
		usleep(100);
		__atomic_add_fetch(&destroyed, 1, __ATOMIC_RELAXED);
	}
};

struct Named {
	const char *name;
	~Named()
	{
		if (name)
			printf("destroyed %s\n", name);
	}
};

static thread_local Counted counted;
static thread_local Named first, second;

struct Unwound {
	~Unwound()
	{
		__atomic_add_fetch(&unwound, 1, __ATOMIC_RELAXED);
	}
};

static void *leave(void *arg)
{
	Unwound outer;
	counted.text += " and left";
	[] {
		Unwound inner;
		pthread_exit(reinterpret_cast<void *>(11L));
	}();
	return arg;
}

int main()
{
	std::vector<std::thread> threads;
	sem_init(&here, 0, 0);
	sem_init(&go, 0, 0);
	for (int i = 0; i < 50; i++)
		threads.emplace_back([i] {
			if (i % 2) {
				check(counted.text == "initial");
				counted.text = std::to_string(i);
			}
			sem_post(&here);
			wait_for(&go);
			if (i % 2)
				check(counted.text == std::to_string(i));
		});
	for (int i = 0; i < 50; i++)
		wait_for(&here);
	report_threads();
	for (int i = 0; i < 50; i++)
		sem_post(&go);
	for (auto &t : threads)
		t.join();
	printf("made %d, destroyed %d\n", made, destroyed);

	std::thread([] {
		first.name = "first";
		second.name = "second";
	}).join();
	printf("pthread_exit: %ld\n", reinterpret_cast<long>(join(spawn(leave, nullptr))));
	printf("unwound %d, made %d, destroyed %d\n", unwound, made, destroyed);
	counted.text = "main's";
	first.name = "main's first";
	return 0;
}
