// gev_exit on the process's first thread: main's destructors run, the greenlets go on, and the last of them ends the process with status 0.
// A program of its own: the frames below a Criterion test catch everything.
#include <gev/gev.h>

#include <unistd.h>

static int destroyed;

struct counted {
	~counted()
	{
		destroyed++;
	}
};

static void *outlive(void *)
{
	gev_sleep(0.005);
	if (destroyed != 2)
		_exit(3);
	return nullptr;
}

static void leave()
{
	counted c;
	gev_exit(nullptr);
}

int main()
{
	counted c;
	if (gev_spawn_detached(nullptr, outlive, nullptr))
		return 4;
	leave();
	return 5;
}
