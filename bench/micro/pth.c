/* micro_pth: GNU Pth. Its scheduler looks at every thread at every turn and makes system calls, hence the small numbers. */
#include <pth.h>

#include "bench/micro/micro.h"

static void *return_arg(void *arg)
{
	return arg;
}

static void spawn_join(long n)
{
	double from = micro_now();
	for (long i = 0; i < n; i++) {
		void *value = NULL;
		pth_t t = pth_spawn(PTH_ATTR_DEFAULT, return_arg, &n);
		micro_must(t && pth_join(t, &value) && value == &n, "a thread");
	}
	micro_report(ROW_SPAWN, micro_now() - from, n);
}

static void *yield_often(void *arg)
{
	for (long i = 0; i < *(long *)arg; i++)
		pth_yield(NULL);
	return NULL;
}

static void yields(const char *what, int threads, long total)
{
	long each = total / threads + 1;
	pth_t *t = (pth_t *)calloc((size_t)threads, sizeof *t);
	pth_attr_t attr = pth_attr_new();
	pth_attr_set(attr, PTH_ATTR_STACK_SIZE, 32 * 1024);
	for (int i = 0; i < threads; i++)
		micro_must((t[i] = pth_spawn(attr, yield_often, &each)) != NULL, "a thread");
	double from = micro_now();
	for (int i = 0; i < threads; i++)
		micro_must(pth_join(t[i], NULL), "a join");
	micro_report(what, micro_now() - from, each * threads);
	free(t);
}

static pth_mutex_t lock = PTH_MUTEX_INIT;
static pth_cond_t turned = PTH_COND_INIT;
static int turn;

static void take_turns(int me, long n)
{
	pth_mutex_acquire(&lock, FALSE, NULL);
	for (long i = 0; i < n; i++) {
		while (turn != me)
			pth_cond_await(&turned, &lock, NULL);
		turn = !me;
		pth_cond_notify(&turned, FALSE);
	}
	pth_mutex_release(&lock);
}

static void *second(void *arg)
{
	take_turns(1, *(long *)arg);
	return NULL;
}

static void hand_off(long n)
{
	pth_t t = pth_spawn(PTH_ATTR_DEFAULT, second, &n);
	double from = micro_now();
	take_turns(0, n);
	micro_must(pth_join(t, NULL), "a thread");
	micro_report(ROW_SEMAPHORE, micro_now() - from, 2 * n);
}

int main(int argc, char **argv)
{
	micro_begin(argc, argv);
	micro_must(pth_init(), "pth_init");
	yields(ROW_YIELD_2, 2, micro_times(100000));
	yields(ROW_YIELD_1000, 1000, micro_times(100000));
	spawn_join(micro_times(30000));
	hand_off(micro_times(50000));
	return 0;
}
