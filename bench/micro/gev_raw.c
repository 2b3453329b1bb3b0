/* micro_gev_raw: the context switch alone, without a scheduler, inline as the scheduler has it; it looks inside the library for that. */
#include "bench/micro/micro.h"
#include "lib/context/context.h"
#include "lib/context/identity.h"
#include "lib/context/jump.h"
#include "lib/context/stack.h"
#include "lib/context/thread-pointer.h"

static struct gev__context here, there;
static long arrivals;

static void there_main(void *arg)
{
	for (;;) {
		arrivals++;
		gev__context_jump(&there, &here);
	}
}

static void there_and_back(const char *what, void *tp, long n)
{
	static struct gev__stack_pool pool;
	struct gev__stack stack;
	micro_must(gev__stack_get(&pool, 65536, 0, &stack) == 0, "a stack");
	gev__context_make(&there, stack.lo, stack.hi, there_main, NULL, tp);
	gev__context_jump(&here, &there);
	arrivals = 0;
	double from = micro_now();
	for (long i = 0; i < n; i++)
		gev__context_jump(&here, &there);
	micro_report(what, micro_now() - from, 2 * n);
	micro_must(arrivals == n, "switching");
}

int main(int argc, char **argv)
{
	micro_begin(argc, argv);
	gev__tp_init();
	gev__context_adopt(&here);
	there_and_back(ROW_RAW, here.tp, micro_times(5000000));
	if (gev__identity_missing())
		return 0;
	static struct gev__identity_pool identities;
	void *tp;
	micro_must(gev__identity_get(&identities, &tp) == 0, "an identity");
	there_and_back(ROW_RAW_IDENTITY, tp, micro_times(2000000));
	return 0;
}
