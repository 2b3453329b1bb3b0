/* Threads parked in poll without a limit, woken by what another does: a byte, room, a hang-up, one of several; by
 * time. */
#include <poll.h>

#include "twin.h"

enum { CROWD = 20 };

static int in[2], full[2], gone[2], many[3][2], crowd[2];
static sem_t here;

static const char *flags(short revents)
{
	return revents & POLLIN  ? revents & POLLHUP ? "IN HUP" : "IN"
	     : revents & POLLOUT ? revents & POLLERR ? "OUT ERR" : "OUT"
	     : revents & POLLHUP ? "HUP"
				 : "?";
}

static void *poll_one(void *arg)
{
	struct pollfd *p = arg;
	sem_post(&here);
	int n = poll(p, 1, -1);
	printf("%d %s\n", n, flags(p->revents));
	return NULL;
}

static void *poll_many(void *arg)
{
	struct pollfd p[4] = {{.fd = many[0][0], .events = POLLIN},
			      {.fd = many[1][0], .events = POLLIN},
			      {.fd = -1},
			      {.fd = many[2][0], .events = POLLIN}};
	sem_post(&here);
	int n = poll(p, 4, 60000);
	printf("%d of several: %d %d %d %d\n", n, p[0].revents, p[1].revents, p[2].revents, p[3].revents);
	return arg;
}

static void *poll_crowd(void *arg)
{
	struct pollfd p = {.fd = crowd[0], .events = POLLIN};
	sem_post(&here);
	return (void *)(long)(poll(&p, 1, -1) == 1 && p.revents == POLLIN);
}

static void *poll_time(void *arg)
{
	struct pollfd p = {.fd = crowd[0], .events = POLLIN};
	double began = now();
	together(CROWD, poll(&p, 1, 200) == 0);
	check(now() - began >= 0.199);
	return arg;
}

static pthread_t start(void *(*run)(void *), struct pollfd *p)
{
	pthread_t t = spawn(run, p);
	wait_for(&here);
	return t;
}

int main(void)
{
	static char block[65536];
	pthread_t t, c[CROWD];
	long woken = 0;
	sem_init(&here, 0, 0);
	check(pipe(in) == 0 && pipe(full) == 0 && pipe(gone) == 0 && pipe(crowd) == 0);
	t = start(poll_one, &(struct pollfd){.fd = in[0], .events = POLLIN});
	report_threads();
	check(write(in[1], "x", 1) == 1);
	join(t);
	check(fcntl(full[1], F_SETFL, O_NONBLOCK) == 0);
	while (write(full[1], block, sizeof block) > 0)
		;
	t = start(poll_one, &(struct pollfd){.fd = full[1], .events = POLLOUT});
	read_all(full[0], block, sizeof block);
	join(t);
	t = start(poll_one, &(struct pollfd){.fd = gone[0], .events = POLLIN});
	close(gone[1]);
	join(t);

	for (int i = 0; i < 3; i++)
		check(pipe(many[i]) == 0);
	t = start(poll_many, NULL);
	check(write(many[2][1], "x", 1) == 1);
	join(t);

	for (int i = 0; i < CROWD; i++)
		c[i] = spawn(poll_time, NULL);
	for (int i = 0; i < CROWD; i++)
		join(c[i]);
	puts("time-outs together");

	for (int i = 0; i < CROWD; i++)
		c[i] = start(poll_crowd, NULL);
	check(write(crowd[1], "x", 1) == 1);
	for (int i = 0; i < CROWD; i++)
		woken += (long)join(c[i]);
	printf("%ld woken by one byte\n", woken);
	return 0;
}
