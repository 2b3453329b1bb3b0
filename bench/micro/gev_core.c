/* micro_gev_core: what the runtime's own operations cost through the native interface.
 *
 * Usage: micro_gev_core [SCALE]. One JSON object a line: {"what": "...", "ns": 12.3}, nanoseconds per operation.
 * Every case checks its own result: a greenlet that did not run ends the program with status 1.
 */
#include <gev/gev.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

static double scale = 1;
static long ran;

struct yielder {
	long times;
};

static void must(int ok, const char *what)
{
	if (!ok) {
		fprintf(stderr, "micro_gev_core: %s\n", what);
		exit(1);
	}
}

static void report(const char *what, double seconds, long n)
{
	printf("{\"what\": \"%s\", \"ns\": %.1f}\n", what, seconds * 1e9 / (double)n);
}

static void *yield_times(void *arg)
{
	const struct yielder *y = arg;
	for (long i = 0; i < y->times; i++)
		gev_yield();
	ran++;
	return NULL;
}

static void *return_arg(void *arg)
{
	ran++;
	return arg;
}

static struct gev_greenlet *spawn(int identity, void *(*fn)(void *), void *arg)
{
	struct gev_spawn_attr attr = {.identity = identity};
	struct gev_greenlet *g = gev_spawn_with(&attr, fn, arg);
	must(g != NULL, "spawn");
	return g;
}

static void join(struct gev_greenlet *g)
{
	must(gev_join(g, GEV_FOREVER, NULL) == 0, "join");
	gev_release(g);
}

static void yields(const char *what, int identity, int greenlets, long total)
{
	struct yielder y = {.times = (long)((double)total * scale) / greenlets + 1};
	struct gev_greenlet **g = calloc((size_t)greenlets, sizeof *g);
	must(g != NULL, "memory");
	ran = 0;
	for (int i = 0; i < greenlets; i++)
		g[i] = spawn(identity, yield_times, &y);
	double from = gev_now();
	for (int i = 0; i < greenlets; i++)
		join(g[i]);
	report(what, gev_now() - from, y.times * greenlets);
	must(ran == greenlets, "not all ran");
	free(g);
}

static void spawn_join(const char *what, int identity, long total)
{
	long n = (long)((double)total * scale) + 1;
	ran = 0;
	double from = gev_now();
	for (long i = 0; i < n; i++)
		join(spawn(identity, return_arg, NULL));
	report(what, gev_now() - from, n);
	must(ran == n, "not all ran");
}

static void *echo(void *arg)
{
	int fd = *(int *)arg;
	char byte;
	while (gev_recv(fd, &byte, 1, 0, GEV_FOREVER) == 1)
		must(gev_send(fd, &byte, 1, 0, GEV_FOREVER) == 1, "send");
	return NULL;
}

static void round_trips(long total)
{
	long n = (long)((double)total * scale) + 1;
	int fds[2];
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0, "socketpair");
	struct gev_greenlet *g = spawn(GEV_IDENTITY_SHARED, echo, &fds[1]);
	double from = gev_now();
	for (long i = 0; i < n; i++) {
		char byte = 'x';
		must(gev_send(fds[0], &byte, 1, 0, GEV_FOREVER) == 1, "send");
		must(gev_recv(fds[0], &byte, 1, 0, GEV_FOREVER) == 1, "recv");
	}
	report("round trip through a socketpair", gev_now() - from, n);
	gev_close(fds[0]);
	join(g);
	gev_close(fds[1]);
}

int main(int argc, char **argv)
{
	if (argc > 1)
		scale = strtod(argv[1], NULL);
	yields("yield, 2 runnable", GEV_IDENTITY_SHARED, 2, 4000000);
	yields("yield, 1000 runnable", GEV_IDENTITY_SHARED, 1000, 4000000);
	yields("yield that changes identity, 2 runnable", GEV_IDENTITY_OWN, 2, 4000000);
	spawn_join("spawn, run, join", GEV_IDENTITY_SHARED, 1000000);
	spawn_join("the same with an identity of its own", GEV_IDENTITY_OWN, 300000);
	round_trips(100000);
	return 0;
}
