/* micro_st: State Threads. It has no yield; what comes nearest is the hand-off. */
#include <st.h>

#include "bench/micro/micro.h"

static void *return_arg(void *arg)
{
	return arg;
}

static void spawn_join(long n)
{
	double from = micro_now();
	for (long i = 0; i < n; i++) {
		st_thread_t t = st_thread_create(return_arg, &n, 1, 0);
		void *value = NULL;
		micro_must(t && st_thread_join(t, &value) == 0 && value == &n, "a thread");
	}
	micro_report(ROW_SPAWN, micro_now() - from, n);
}

static st_cond_t turned[2];
static int turn;

static void take_turns(int me, long n)
{
	for (long i = 0; i < n; i++) {
		while (turn != me)
			st_cond_wait(turned[me]);
		turn = !me;
		st_cond_signal(turned[!me]);
	}
}

static void *second(void *arg)
{
	take_turns(1, *(long *)arg);
	return NULL;
}

static void hand_off(long n)
{
	turned[0] = st_cond_new();
	turned[1] = st_cond_new();
	st_thread_t t = st_thread_create(second, &n, 1, 0);
	double from = micro_now();
	take_turns(0, n);
	micro_must(st_thread_join(t, NULL) == 0, "a thread");
	micro_report(ROW_SEMAPHORE, micro_now() - from, 2 * n);
}

int main(int argc, char **argv)
{
	micro_begin(argc, argv);
	micro_must(st_init() == 0, "st_init");
	spawn_join(micro_times(500000));
	hand_off(micro_times(2000000));
	return 0;
}
