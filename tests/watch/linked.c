/* The same eyes on a program that is linked with libgev: linked.c. Prints "ready" and waits for its standard input to end. */
#include <gev/gev.h>

#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

static int pair[2];

static void *sleeper(void *arg)
{
	gev_sleep(1000);
	return arg;
}

static void *receiver(void *arg)
{
	char byte;
	return gev_recv(pair[0], &byte, 1, 0, GEV_FOREVER) == 1 ? arg : NULL;
}

static void *joiner(void *arg)
{
	gev_join(arg, GEV_FOREVER, NULL);
	return NULL;
}

int main(void)
{
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
		return 1;
	const struct gev_spawn_attr named = {.name = "long sleeper"};
	struct gev_greenlet *s = gev_spawn_with(&named, sleeper, NULL);
	gev_spawn(receiver, NULL);
	gev_spawn(joiner, s);
	gev_yield();
	printf("ready %d\n", getpid());
	fflush(stdout);
	char byte;
	gev_read(STDIN_FILENO, &byte, 1, GEV_FOREVER);
	return 0;
}
