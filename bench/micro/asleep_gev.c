/* asleep_gev: libgev's greenlets asleep. Usage: asleep_gev N SECONDS [CYCLES [own]]; own: with an identity each, as green threads have. */
#include <gev/gev.h>

#include "bench/micro/asleep.h"

static struct asleep all;

static __attribute__((noinline)) void deeper(void)
{
	gev_sleep(asleep_ready(&all));
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
	struct gev_spawn_attr attr = {.identity = argc > 4 ? GEV_IDENTITY_OWN : GEV_IDENTITY_SHARED};
	struct gev_greenlet **g = (struct gev_greenlet **)calloc((size_t)all.n, sizeof *g);
	micro_must(g != NULL, "memory");
	for (int cycle = 0; cycle < all.cycles; cycle++) {
		asleep_begin(&all);
		for (long i = 0; i < all.n; i++)
			micro_must((g[i] = gev_spawn_with(&attr, sleeper, g)) != NULL, "a spawn");
		for (long i = 0; i < all.n; i++) {
			micro_must(gev_join(g[i], GEV_FOREVER, NULL) == 0, "a join");
			gev_release(g[i]);
		}
		asleep_end(&all);
	}
	free(g);
	return 0;
}
