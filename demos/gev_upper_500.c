/* gev_upper_500: upper_500 once more, linked with libgev: the server, its connections and the clients are greenlets.
 *
 * No lock guards the counters: greenlets that share an OS thread switch at gev_ calls and nowhere else. The clients
 * wait for each other at the reading end of a pipe, which the last one opens by closing the writing end: many may
 * wait on one descriptor.
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <gev/gev.h>

enum { CLIENTS = 500, SIZE = 32 };

static char address[32];
static int gate[2];
static int here, right, wrong, threads;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static struct gev_greenlet *start(void *(*fn)(void *), intptr_t arg)
{
	struct gev_greenlet *greenlet = gev_spawn(fn, (void *)arg);

	if (!greenlet)
		die("gev_spawn");
	return greenlet;
}

static void finish(struct gev_greenlet *greenlet)
{
	gev_join(greenlet, GEV_FOREVER, NULL);
	gev_release(greenlet);
}

static int os_threads(void)
{
	FILE *status = fopen("/proc/self/status", "r");
	char line[256];
	int n = 0;

	while (status && fgets(line, sizeof(line), status)) {
		if (strncmp(line, "Threads:", 8) == 0)
			n = atoi(line + 8);
	}
	if (status)
		fclose(status);
	return n;
}

static void *serve(void *arg)
{
	int fd = (int)(intptr_t)arg;
	char text[SIZE];
	ssize_t n;

	while ((n = gev_recv(fd, text, sizeof(text), 0, GEV_FOREVER)) > 0) {
		for (ssize_t i = 0; i < n; i++)
			text[i] = (char)toupper((unsigned char)text[i]);
		if (gev_send_all(fd, text, (size_t)n, GEV_FOREVER) != n)
			die("gev_send_all");
	}
	gev_close(fd);
	return NULL;
}

static void *accept_all(void *arg)
{
	int listener = (int)(intptr_t)arg;
	struct gev_greenlet *servers[CLIENTS];

	for (int i = 0; i < CLIENTS; i++) {
		int fd = gev_accept(listener, NULL, NULL, GEV_FOREVER);

		if (fd < 0)
			die("gev_accept");
		servers[i] = start(serve, fd);
	}
	for (int i = 0; i < CLIENTS; i++)
		finish(servers[i]);
	return NULL;
}

static int ask(int fd, int client, const char *what)
{
	char question[SIZE] = "", answer[SIZE] = "", expected[SIZE] = "";

	snprintf(question, sizeof(question), "client %03d says %s", client, what);
	for (int i = 0; i < SIZE; i++)
		expected[i] = (char)toupper((unsigned char)question[i]);
	if (gev_send_all(fd, question, SIZE, 10) != SIZE || gev_recv_all(fd, answer, SIZE, 10) != SIZE)
		die("ask");
	return memcmp(answer, expected, SIZE) == 0;
}

static void wait_for_all(void)
{
	char byte;

	if (++here == CLIENTS) {
		threads = os_threads();
		gev_close(gate[1]);
	}
	if (gev_read(gate[0], &byte, 1, GEV_FOREVER) != 0)
		die("gev_read");
}

static void *be_client(void *arg)
{
	int client = (int)(intptr_t)arg;
	int fd = gev_dial(address, 10);
	int good;

	if (fd < 0)
		die("gev_dial");
	good = ask(fd, client, "hello");
	wait_for_all();
	good += ask(fd, client, "goodbye");
	gev_close(fd);
	right += good;
	wrong += 2 - good;
	return NULL;
}

static int listen_anywhere(void)
{
	struct sockaddr_in bound = {0};
	socklen_t length = sizeof(bound);
	int fd = gev_listen("127.0.0.1:0", CLIENTS);

	if (fd < 0 || getsockname(fd, (struct sockaddr *)&bound, &length) < 0)
		die("gev_listen");
	snprintf(address, sizeof(address), "127.0.0.1:%u", (unsigned)ntohs(bound.sin_port));
	return fd;
}

int main(void)
{
	struct gev_greenlet *acceptor, *clients[CLIENTS];
	struct rlimit limit;
	int listener;

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	if (pipe(gate) < 0)
		die("pipe");

	listener = listen_anywhere();
	acceptor = start(accept_all, listener);
	for (int i = 0; i < CLIENTS; i++)
		clients[i] = start(be_client, i);
	for (int i = 0; i < CLIENTS; i++)
		finish(clients[i]);
	finish(acceptor);
	gev_close(listener);
	gev_close(gate[0]);
	printf("%d clients at once: %d right answers, %d wrong\n", CLIENTS, right, wrong);
	printf("OS threads: %d\n", threads);
	return wrong != 0;
}
