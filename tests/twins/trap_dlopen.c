/* dlopen in a thread while others live: found by the program's own RUNPATH, late thread-local variables right in
 * threads that are older than the library, errors kept by each thread; and closed and opened again while threads live that have used it. */
#include <dlfcn.h>

#include "twin.h"

enum { THREADS = 5 };

static int (*next)(void);
static int *(*static_tls)(void);
static sem_t here, go[2], done;
static void *handle;

static void use(void)
{
	check(next() == 100 && next() == 101);
	check(*static_tls() == 200);
	*static_tls() = 1;
}

static void open_library(void)
{
	handle = dlopen("libtwin_trap_dlopen.so", RTLD_NOW);
	if (!handle)
		fprintf(stderr, "%s\n", dlerror());
	check(handle != NULL);
	next = (int (*)(void))dlsym(handle, "library_next");
	static_tls = (int *(*)(void))dlsym(handle, "library_static_tls");
	check(next && static_tls);
}

static void *older(void *arg)
{
	sem_post(&here);
	wait_for(&go[0]);
	use();
	sem_post(&done);
	wait_for(&go[1]);
	check(next() == 102 && *static_tls() == 1);
	return arg;
}

static void *load(void *arg)
{
	check(dlopen("libno-such-library.so", RTLD_NOW) == NULL);
	const char *why = dlerror();
	printf("error names it: %d\n", why && strstr(why, "libno-such-library.so") != NULL);
	open_library();
	check(dlerror() == NULL);
	use();
	return arg;
}

static void *use_twice(void *arg)
{
	for (int round = 0; round < 2; round++) {
		use();
		sem_post(&here);
		wait_for(&go[round]);
	}
	return arg;
}

/* Another library, as far as thread-local variables are concerned: everybody has them fresh. */
static void open_again(void)
{
	pthread_t t[THREADS];
	for (int i = 0; i < THREADS; i++)
		t[i] = spawn(use_twice, NULL);
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < THREADS; i++)
			wait_for(&here);
		show(dlclose(handle));
		if (round == 0)
			open_library();
		for (int i = 0; i < THREADS; i++)
			sem_post(&go[round]);
	}
	for (int i = 0; i < THREADS; i++)
		join(t[i]);
}

int main(void)
{
	pthread_t t[THREADS];
	sem_init(&here, 0, 0);
	sem_init(&go[0], 0, 0);
	sem_init(&go[1], 0, 0);
	sem_init(&done, 0, 0);
	for (int i = 0; i < THREADS; i++)
		t[i] = spawn(older, NULL);
	for (int i = 0; i < THREADS; i++)
		wait_for(&here);
	report_threads();
	join(spawn(load, NULL));
	use();
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < THREADS; i++)
			sem_post(&go[round]);
		for (int i = 0; i < THREADS && round == 0; i++)
			wait_for(&done);
	}
	for (int i = 0; i < THREADS; i++)
		join(t[i]);
	check(next() == 102);
	puts("every thread had its own");
	open_again();
	return 0;
}
