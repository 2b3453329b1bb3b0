/* A thread that computes while libc or the loader holds a lock for it: under flockfile, in a handler that has interrupted malloc, in a library's
 * constructor, in a callback of dl_iterate_phdr. Others want the same lock. */
#include <dlfcn.h>
#include <link.h>
#include <signal.h>
#include <sys/time.h>

#include "twin.h"

static volatile int stop;
static volatile unsigned long work;
static FILE *out;

/* Long enough for some time slices. */
static void compute_for(double seconds)
{
	double until = now() + seconds;
	do
		for (int i = 0; i < 10000; i++)
			work++;
	while (now() < until);
}

void compute_in_constructor(void);
__attribute__((visibility("default"))) void compute_in_constructor(void)
{
	compute_for(0.05);
}

static void *print_often(void *arg)
{
	while (!stop) {
		fprintf(out, "x\n");
		sched_yield();
	}
	return arg;
}

static void *allocate_often(void *arg)
{
	while (!stop) {
		for (size_t i = 0; i < 100; i++)
			free(malloc(i * 100));
	}
	return arg;
}

static int look(struct dl_phdr_info *info, size_t size, void *data)
{
	return 1;
}

static void *load_often(void *arg)
{
	while (!stop) {
		check(dlsym(RTLD_DEFAULT, "malloc") != NULL);
		check(dl_iterate_phdr(look, NULL) == 1);
		sched_yield();
	}
	return arg;
}

static int look_long(struct dl_phdr_info *info, size_t size, void *data)
{
	compute_for(0.05);
	return 1;
}

static void handler(int sig)
{
	compute_for(0.02);
}

static void beside(void *(*entry)(void *), void (*what)(void), const char *name)
{
	stop = 0;
	pthread_t t = spawn(entry, NULL);
	report_threads();
	what();
	stop = 1;
	join(t);
	puts(name);
}

static void hold_stream(void)
{
	for (int i = 0; i < 3; i++) {
		flockfile(out);
		for (int k = 0; k < 10; k++) {
			putc_unlocked('y', out);
			compute_for(0.005);
		}
		funlockfile(out);
		while (ftrylockfile(out) != 0)
			sched_yield();
		compute_for(0.01);
		funlockfile(out);
	}
}

static void be_interrupted(void)
{
	struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
	struct itimerval often = {.it_interval = {.tv_usec = 30000}, .it_value = {.tv_usec = 1000}}, never = {0};
	check(sigaction(SIGALRM, &action, NULL) == 0);
	check(setitimer(ITIMER_REAL, &often, NULL) == 0);
	double until = now() + 0.3;
	while (now() < until)
		for (size_t i = 0; i < 100; i++)
			free(malloc(i * 100));
	check(setitimer(ITIMER_REAL, &never, NULL) == 0);
}

static void load(void)
{
	for (int i = 0; i < 3; i++) {
		void *library = dlopen("libtwin_slice_locks.so", RTLD_NOW);
		check(library != NULL);
		check(dlclose(library) == 0);
	}
}

static void look_at_libraries(void)
{
	for (int i = 0; i < 3; i++)
		check(dl_iterate_phdr(look_long, NULL) == 1);
}

int main(void)
{
	out = fopen("/dev/null", "w");
	check(out != NULL);
	beside(print_often, hold_stream, "flockfile");
	beside(allocate_often, be_interrupted, "a handler over malloc");
	beside(load_often, load, "a constructor");
	beside(load_often, look_at_libraries, "a callback of dl_iterate_phdr");
	return 0;
}
