/* A library whose constructor waits while it holds the loader's lock: for time and for a descriptor, while other threads ask the loader; then for a
 * thread that is not made yet. */
#include <dlfcn.h>

#include "twin.h"

enum { THREADS = 4, ROUNDS = 20 };

static int pair[2];
static sem_t begun, made;
static bool for_a_thread;

/* What the constructor calls. */
void wait_in_constructor(void);
__attribute__((visibility("default"))) void wait_in_constructor(void)
{
	char byte;
	sem_post(&begun);
	if (for_a_thread) {
		wait_for(&made);
		return;
	}
	usleep(20000);
	check(write(pair[0], "x", 1) == 1);
	check(read(pair[1], &byte, 1) == 1);
	usleep(20000);
}

static void *load(void *arg)
{
	void *handle = dlopen("libtwin_trap_loader.so", RTLD_NOW);
	if (!handle)
		fprintf(stderr, "%s\n", dlerror());
	check(handle != NULL);
	return handle;
}

static void *ask(void *arg)
{
	wait_for(&begun);
	sem_post(&begun);
	for (int i = 0; i < ROUNDS; i++) {
		check(dlsym(RTLD_DEFAULT, "malloc") != NULL);
		usleep(1000);
	}
	return arg;
}

static void *first_here(void *arg)
{
	sem_post(&made);
	return arg;
}

int main(void)
{
	pthread_t t[THREADS];
	sem_init(&begun, 0, 0);
	sem_init(&made, 0, 0);
	stream_pair(pair);
	for (long i = 0; i < THREADS; i++)
		t[i] = spawn(ask, (void *)i);
	report_threads();
	pthread_t loader = spawn(load, NULL);
	for (long i = 0; i < THREADS; i++)
		check(join(t[i]) == (void *)i);
	show(dlclose(join(loader)));
	puts("everybody came through the loader");

	wait_for(&begun);
	for_a_thread = true;
	loader = spawn(load, NULL);
	wait_for(&begun);
	t[0] = spawn(first_here, NULL);
	join(t[0]);
	show(dlclose(join(loader)));
	puts("a thread was made meanwhile");
	return 0;
}
