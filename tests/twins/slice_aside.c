/* Code that has left its thread's stack, and keeps data right below its stack pointer: compiled code of language runtimes does. All handlers run on
 * the thread's alternate stack (argument "alternate"), so signals do not disturb it, and nothing else may; and it is taken off like any other.
 * Without an alternate stack ("plain") it is only taken off. */
#include <signal.h>
#include <stdatomic.h>
#include <ucontext.h>

#include "twin.h"

enum { THREADS = 2, STACK = 65536, ROOM = 1024, TIMES = 20 };

static atomic_int slept, spoiled;
static bool alternate;
static __thread ucontext_t self, other;
static __thread unsigned char *low;

/* No call, and so nothing of its own, lies below its frame. */
static __attribute__((noinline)) void compute(void)
{
	unsigned char *end = (unsigned char *)__builtin_frame_address(0) - ROOM;
	for (unsigned char round = 1; atomic_load_explicit(&slept, memory_order_relaxed) < TIMES; round++) {
		for (volatile unsigned char *p = low; p < end; p++)
			*p = round;
		for (volatile unsigned char *p = low; p < end; p++)
			if (*p != round && alternate)
				atomic_fetch_add_explicit(&spoiled, 1, memory_order_relaxed);
	}
}

static void *run(void *arg)
{
	static char alternates[THREADS][STACK];
	stack_t s = {.ss_sp = alternates[(long)arg], .ss_size = STACK}, none = {.ss_flags = SS_DISABLE};
	if (alternate)
		check(sigaltstack(&s, NULL) == 0);
	low = malloc(STACK);
	check(low && getcontext(&other) == 0);
	other.uc_stack = (stack_t){.ss_sp = low, .ss_size = STACK};
	other.uc_link = &self;
	makecontext(&other, compute, 0);
	check(swapcontext(&self, &other) == 0);
	if (alternate)
		check(sigaltstack(&none, NULL) == 0);
	free(low);
	return NULL;
}

static void *sleep_often(void *arg)
{
	until_reported();
	for (int i = 0; i < TIMES; i++) {
		usleep(2000);
		atomic_fetch_add(&slept, 1);
	}
	return arg;
}

int main(int argc, char **argv)
{
	pthread_t t[THREADS];
	alternate = argc > 1 && strcmp(argv[1], "alternate") == 0;
	for (long i = 0; i < THREADS; i++)
		t[i] = spawn(run, (void *)i);
	pthread_t sleeper = spawn(sleep_often, NULL);
	report_threads();
	join(sleeper);
	for (int i = 0; i < THREADS; i++)
		join(t[i]);
	printf("spoiled: %d\n", atomic_load(&spoiled));
	return 0;
}
