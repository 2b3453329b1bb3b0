/* gev_counts: one operation, a given number of times: for callgrind, which counts instructions exactly.
 *
 * Usage: gev_counts OPERATION TIMES. A run with twice as many less a run with as many is what so many cost, without start and end. */
#include <gev/embed.h>
#include <gev/gev.h>
#include <string.h>
#include <sys/socket.h>

#include "bench/micro/micro.h"

static long times;
static const struct gev_embed *rt;

static void *yield_often(void *arg)
{
	for (long i = 0; i < times; i++)
		gev_yield();
	return arg;
}

static struct gev_greenlet *spawn(int identity, void *(*fn)(void *), void *arg)
{
	struct gev_spawn_attr attr = {.identity = identity};
	struct gev_greenlet *g = gev_spawn_with(&attr, fn, arg);
	micro_must(g != NULL, "a spawn");
	return g;
}

static void end(struct gev_greenlet *g)
{
	micro_must(gev_join(g, GEV_FOREVER, NULL) == 0, "a join");
	gev_release(g);
}

/* Two that yield to each other; main joins. An operation is one yield, so each of them does half. */
static void yields(int identity)
{
	times /= 2;
	struct gev_greenlet *a = spawn(identity, yield_often, NULL), *b = spawn(identity, yield_often, NULL);
	end(a);
	end(b);
}

static void yield_shared(void)
{
	yields(GEV_IDENTITY_SHARED);
}

static void yield_own(void)
{
	yields(GEV_IDENTITY_OWN);
}

static void *return_arg(void *arg)
{
	return arg;
}

static void spawn_join_as(int identity)
{
	for (long i = 0; i < times; i++)
		end(spawn(identity, return_arg, NULL));
}

static void spawn_join(void)
{
	spawn_join_as(GEV_IDENTITY_SHARED);
}

static void spawn_join_own(void)
{
	spawn_join_as(GEV_IDENTITY_OWN);
}

static void *park_often(void *arg)
{
	for (long i = 0; i < times; i++)
		rt->park(GEV_NEVER, GEV_PARK_PLAIN);
	return arg;
}

/* One parks, main wakes it and yields: a park, a wake and a yield, in two switches. */
static void park_wake(void)
{
	struct gev_greenlet *g = spawn(GEV_IDENTITY_SHARED, park_often, NULL);
	gev_yield();
	for (long i = 0; i < times; i++) {
		rt->wake(g);
		gev_yield();
	}
	end(g);
}

static char place;

static void *wait_often(void *arg)
{
	for (long i = 0; i < times; i++)
		rt->lot_wait(&place, NULL, NULL, NULL, GEV_NEVER, GEV_PARK_PLAIN, NULL);
	return arg;
}

static void lot(void)
{
	struct gev_greenlet *g = spawn(GEV_IDENTITY_SHARED, wait_often, NULL);
	gev_yield();
	for (long i = 0; i < times; i++) {
		micro_must(rt->lot_wake(&place, 1, 0) == 1, "a wake");
		gev_yield();
	}
	end(g);
}

static void *sleep_often(void *arg)
{
	for (long i = 0; i < times; i++)
		gev_sleep(1e-9);
	return arg;
}

static void sleeps(void)
{
	end(spawn(GEV_IDENTITY_SHARED, sleep_often, NULL));
}

static void *echo(void *arg)
{
	int fd = *(int *)arg;
	char buffer[16];
	ssize_t size;
	while ((size = gev_recv(fd, buffer, sizeof buffer, 0, GEV_FOREVER)) > 0)
		micro_must(gev_send_all(fd, buffer, (size_t)size, GEV_FOREVER) == size, "a send");
	return NULL;
}

/* An echo request as its server sees it, and as much again for the client, which is a greenlet too. */
static void request(void)
{
	int fds[2];
	char buffer[16] = "0123456789abcde";
	micro_must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == 0, "socketpair");
	struct gev_greenlet *g = spawn(GEV_IDENTITY_SHARED, echo, &fds[1]);
	for (long i = 0; i < times; i++) {
		micro_must(gev_send_all(fds[0], buffer, sizeof buffer, GEV_FOREVER) == sizeof buffer, "a send");
		micro_must(gev_recv(fds[0], buffer, sizeof buffer, 0, GEV_FOREVER) == sizeof buffer, "a recv");
	}
	gev_close(fds[0]);
	end(g);
	gev_close(fds[1]);
}

static const struct operation {
	const char *name;
	void (*run)(void);
} operations[] = {
	{"yield", yield_shared},    {"yield-own", yield_own},
	{"spawn-join", spawn_join}, {"spawn-join-own", spawn_join_own},
	{"park-wake", park_wake},   {"lot", lot},
	{"sleep", sleeps},          {"request", request},
};

int main(int argc, char **argv)
{
	micro_must(argc == 3, "usage: OPERATION TIMES:");
	times = strtol(argv[2], NULL, 10);
	rt = gev_embed_v1();
	gev_sleep(0);
	for (size_t i = 0; i < sizeof operations / sizeof *operations; i++) {
		if (strcmp(argv[1], operations[i].name) != 0)
			continue;
		operations[i].run();
		return 0;
	}
	return 2;
}
