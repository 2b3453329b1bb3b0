/* poll beside a parked thread: what each kind of descriptor answers, entries to be skipped, duplicates, time-outs,
 * errors. */
#include <poll.h>

#include "twin.h"

static sem_t go;

static void *park(void *arg)
{
	wait_for(&go);
	return arg;
}

static void ask(const char *what, int fd, short events)
{
	struct pollfd p = {.fd = fd, .events = events, .revents = 0x7777};
	int n = poll(&p, 1, 0), m = poll(&p, 1, -1);
	printf("%s: %d %d %s%s%s%s%s%s\n", what, n, m, p.revents & POLLIN ? "IN " : "",
	       p.revents & POLLOUT ? "OUT " : "", p.revents & POLLHUP ? "HUP " : "", p.revents & POLLERR ? "ERR " : "",
	       p.revents & POLLNVAL ? "NVAL " : "", p.revents & POLLRDHUP ? "RDHUP " : "");
}

int main(void)
{
	int fd[2], file = open("/proc/self/exe", O_RDONLY), null = open("/dev/null", O_RDWR);
	sem_init(&go, 0, 0);
	pthread_t t = spawn(park, NULL);
	report_threads();

	check(pipe(fd) == 0);
	ask("empty pipe to write", fd[1], POLLIN | POLLOUT);
	check(write(fd[1], "x", 1) == 1);
	ask("pipe with a byte", fd[0], POLLIN | POLLOUT);
	close(fd[1]);
	ask("and without a writer", fd[0], POLLIN);
	char byte;
	check(read(fd[0], &byte, 1) == 1);
	ask("and without the byte", fd[0], POLLIN);
	ask("asked for nothing", fd[0], 0);
	close(fd[0]);
	ask("closed", fd[0], POLLIN);
	check(pipe(fd) == 0);
	close(fd[0]);
	ask("pipe without a reader", fd[1], POLLOUT);
	ask("asked for nothing", fd[1], 0);

	tcp_pair(fd);
	ask("idle tcp", fd[0], POLLIN | POLLOUT);
	shutdown(fd[1], SHUT_WR);
	ask("half-closed tcp", fd[0], POLLIN | POLLOUT | POLLRDHUP);
	shutdown(fd[0], SHUT_WR);
	ask("closed on both sides", fd[0], POLLIN | POLLOUT);
	ask("never connected", socket(AF_INET, SOCK_STREAM, 0), POLLIN | POLLOUT);
	ask("regular file", file, POLLIN | POLLOUT);
	ask("/dev/null", null, POLLIN | POLLOUT);

	stream_pair(fd);
	check(write(fd[1], "x", 1) == 1);
	struct pollfd set[5] = {{.fd = -1, .events = POLLIN, .revents = 99},
				{.fd = fd[0], .events = POLLIN},
				{.fd = fd[0], .events = POLLOUT},
				{.fd = fd[0], .events = POLLIN},
				{.fd = 1000, .events = POLLIN}};
	show(poll(set, 5, -1));
	for (int i = 0; i < 5; i++)
		printf("%d ", set[i].revents);
	puts("");

	struct pollfd idle = {.fd = fd[1], .events = POLLIN, .revents = 99}, skipped = {.fd = -5, .events = POLLIN};
	struct pollfd *volatile nowhere = (struct pollfd *)(uintptr_t)8;
	double began = now();
	show(poll(&idle, 1, 50));
	printf("revents %d\n", idle.revents);
	show(poll(&skipped, 1, 50));
	show(poll(NULL, 0, 50));
	show(poll(NULL, 0, 0));
	check(now() - began >= 0.149);
	show(poll(nowhere, 1, 0));
	struct timespec wrong = {0, 1000000000}, little = {0, 1000000};
	show(ppoll(&idle, 1, &wrong, NULL));
	beside_begin();
	show(ppoll(&idle, 1, &little, NULL));
	beside_end();
	sem_post(&go);
	join(t);
	return 0;
}
