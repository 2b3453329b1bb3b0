/* micro_swapcontext: glibc's own switch: two system calls for the signal mask each time. */
#include <ucontext.h>

#include "bench/micro/micro.h"

static ucontext_t here, there;
static long arrivals;

static void there_main(void)
{
	for (;;) {
		arrivals++;
		swapcontext(&there, &here);
	}
}

int main(int argc, char **argv)
{
	static char stack[65536];

	micro_begin(argc, argv);
	long n = micro_times(500000);
	getcontext(&there);
	there.uc_stack.ss_sp = stack;
	there.uc_stack.ss_size = sizeof stack;
	makecontext(&there, there_main, 0);
	double from = micro_now();
	for (long i = 0; i < n; i++)
		swapcontext(&here, &there);
	micro_report(ROW_RAW, micro_now() - from, 2 * n);
	micro_must(arrivals == n, "switching");
	return 0;
}
