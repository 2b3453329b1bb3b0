/* asleep_st: State Threads asleep. */
#include <st.h>

#include "bench/micro/asleep.h"

static struct asleep all;

static __attribute__((noinline)) void deeper(void)
{
	st_usleep((st_utime_t)(asleep_ready(&all) * 1e6));
	all.woken++;
}

static void *sleeper(void *arg)
{
	deeper();
	return arg;
}

int main(int argc, char **argv)
{
	all = asleep_parse(argc, argv);
	micro_must(st_init() == 0, "st_init");
	st_thread_t *t = (st_thread_t *)calloc((size_t)all.n, sizeof *t);
	asleep_begin(&all);
	for (long i = 0; i < all.n; i++)
		micro_must((t[i] = st_thread_create(sleeper, t, 1, 0)) != NULL, "a thread");
	for (long i = 0; i < all.n; i++)
		micro_must(st_thread_join(t[i], NULL) == 0, "a join");
	asleep_end(&all);
	free(t);
	return 0;
}
