/* micro_gev_core: what the runtime's own operations cost through the native interface.
 *
 * Usage: micro_gev_core [SCALE]. One JSON object a line: {"what": "...", "ns": 12.3}, nanoseconds per operation.
 * Every case checks its own result: a greenlet that did not run ends the program with status 1.
 */
#include <gev/embed.h>
#include <gev/gev.h>
#include <sys/socket.h>

#include "bench/micro/micro.h"

static long ran;

struct yielder {
	long times;
};

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
	micro_must(g != NULL, "spawn");
	return g;
}

static void join(struct gev_greenlet *g)
{
	micro_must(gev_join(g, GEV_FOREVER, NULL) == 0, "join");
	gev_release(g);
}

static void yields(const char *what, int identity, int greenlets, long total)
{
	struct yielder y = {.times = micro_times(total) / greenlets + 1};
	struct gev_greenlet **g = calloc((size_t)greenlets, sizeof *g);
	micro_must(g != NULL, "memory");
	ran = 0;
	for (int i = 0; i < greenlets; i++)
		g[i] = spawn(identity, yield_times, &y);
	double from = gev_now();
	for (int i = 0; i < greenlets; i++)
		join(g[i]);
	micro_report(what, gev_now() - from, y.times * greenlets);
	micro_must(ran == greenlets, "not all ran");
	free(g);
}

static void spawn_join(const char *what, int identity, long total)
{
	long n = micro_times(total);
	ran = 0;
	double from = gev_now();
	for (long i = 0; i < n; i++)
		join(spawn(identity, return_arg, NULL));
	micro_report(what, gev_now() - from, n);
	micro_must(ran == n, "not all ran");
}

/* Two take turns, each waiting on its place in the parking lot, on which every object that one waits on is built. Both run the same function, as in
 * the other libraries' programs here: the processor predicts returns by who called last. */

static const struct gev_embed *rt;
static char places[2];
static int turn;

static bool not_mine(void *place)
{
	return place != &places[turn];
}

static void take_turns(int me, long n)
{
	for (long i = 0; i < n; i++) {
		while (turn != me)
			rt->lot_wait(&places[me], not_mine, NULL, &places[me], GEV_NEVER, GEV_PARK_PLAIN, NULL);
		turn = !me;
		rt->lot_wake(&places[!me], 1, 0);
	}
}

static void *second(void *arg)
{
	take_turns(1, *(long *)arg);
	return NULL;
}

static void hand_off(const char *what, int identity, long total)
{
	long n = micro_times(total);
	turn = 0;
	struct gev_greenlet *g = spawn(identity, second, &n);
	double from = gev_now();
	take_turns(0, n);
	join(g);
	micro_report(what, gev_now() - from, 2 * n);
}

struct pair {
	struct gev_queue *there, *back;
};

static void *answer(void *arg)
{
	struct pair *p = arg;
	void *item;
	while (gev_queue_get(p->there, &item, GEV_FOREVER) == 0)
		micro_must(gev_queue_put(p->back, (char *)item + 1, GEV_FOREVER) == 0, "put");
	return NULL;
}

/* `most` as in gev_queue_new. */
static void hand_over(const char *what, size_t most, int identity, long total)
{
	long n = micro_times(total);
	struct pair p = {gev_queue_new(most), gev_queue_new(most)};
	micro_must(p.there && p.back, "memory");
	struct gev_greenlet *g = spawn(identity, answer, &p);
	double from = gev_now();
	for (long i = 0; i < n; i++) {
		void *item = NULL;
		micro_must(gev_queue_put(p.there, (void *)i, GEV_FOREVER) == 0, "put");
		micro_must(gev_queue_get(p.back, &item, GEV_FOREVER) == 0 && item == (void *)(i + 1), "get");
	}
	micro_report(what, gev_now() - from, 2 * n);
	gev_queue_close(p.there);
	join(g);
	gev_queue_free(p.there);
	gev_queue_free(p.back);
}

static void *echo(void *arg)
{
	int fd = *(int *)arg;
	char byte;
	while (gev_recv(fd, &byte, 1, 0, GEV_FOREVER) == 1)
		micro_must(gev_send(fd, &byte, 1, 0, GEV_FOREVER) == 1, "send");
	return NULL;
}

static void round_trips(long total)
{
	long n = micro_times(total);
	int fds[2];
	micro_must(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0, "socketpair");
	struct gev_greenlet *g = spawn(GEV_IDENTITY_SHARED, echo, &fds[1]);
	double from = gev_now();
	for (long i = 0; i < n; i++) {
		char byte = 'x';
		micro_must(gev_send(fds[0], &byte, 1, 0, GEV_FOREVER) == 1, "send");
		micro_must(gev_recv(fds[0], &byte, 1, 0, GEV_FOREVER) == 1, "recv");
	}
	micro_report("round trip through a socketpair", gev_now() - from, n);
	gev_close(fds[0]);
	join(g);
	gev_close(fds[1]);
}

int main(int argc, char **argv)
{
	micro_begin(argc, argv);
	yields(ROW_YIELD_2, GEV_IDENTITY_SHARED, 2, 4000000);
	yields(ROW_YIELD_1000, GEV_IDENTITY_SHARED, 1000, 4000000);
	yields("yield, 2 runnable, identities of their own", GEV_IDENTITY_OWN, 2, 4000000);
	spawn_join(ROW_SPAWN, GEV_IDENTITY_SHARED, 1000000);
	spawn_join("spawn, run, join, identity of its own", GEV_IDENTITY_OWN, 300000);
	rt = gev_embed_v1();
	hand_off(ROW_SEMAPHORE, GEV_IDENTITY_SHARED, 1000000);
	hand_off("hand-off by semaphore or condition, identity of its own", GEV_IDENTITY_OWN, 500000);
	hand_over(ROW_CHANNEL, 0, GEV_IDENTITY_SHARED, 1000000);
	hand_over("hand-off by unbounded queue", GEV_QUEUE_UNBOUNDED, GEV_IDENTITY_SHARED, 1000000);
	hand_over("hand-off by channel or queue, identity of its own", 0, GEV_IDENTITY_OWN, 500000);
	round_trips(100000);
	return 0;
}
