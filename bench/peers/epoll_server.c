/* epoll_server: the honest yardstick: what a careful programmer writes by hand for one thread.
 *
 * The same protocol and the same work a byte as demos/legacy_server.c. Level-triggered epoll; a ready connection
 * costs one recv and one send and no other call: no recv that only finds EAGAIN, no epoll_ctl unless a send has to
 * wait.
 *
 * Usage: epoll_server PORT    (0: any free port). Prints `listening on 127.0.0.1:PORT`.
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BATCH = 512, BUFFER = 1024, DESCRIPTORS = 1 << 20 };

/* What a full socket has not taken yet. Only a connection in that state has one. */
struct rest {
	size_t size;
	size_t sent;
	char data[BUFFER];
};

static int poller;
static struct rest *rests[DESCRIPTORS]; /* memory is taken only for those in use */

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void watch(int operation, int fd, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.fd = fd};

	if (epoll_ctl(poller, operation, fd, &event) < 0)
		die("epoll_ctl");
}

static void drop(int fd)
{
	free(rests[fd]);
	rests[fd] = NULL;
	close(fd); /* which also takes it out of the epoll set: nobody else holds this description */
}

static void keep_rest(int fd, const char *data, size_t size)
{
	struct rest *rest = malloc(sizeof(*rest));

	if (!rest) {
		drop(fd);
		return;
	}
	memcpy(rest->data, data, size);
	rest->size = size;
	rest->sent = 0;
	rests[fd] = rest;
	watch(EPOLL_CTL_MOD, fd, EPOLLOUT); /* and no EPOLLIN: a client that does not read is not read from */
}

static void answer(int fd)
{
	char buffer[BUFFER];
	ssize_t size = recv(fd, buffer, sizeof(buffer), 0);
	ssize_t sent;

	if (size < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (size <= 0) {
		drop(fd);
		return;
	}
	for (ssize_t i = 0; i < size; i++)
		buffer[i] = (char)toupper((unsigned char)buffer[i]);
	sent = send(fd, buffer, (size_t)size, MSG_NOSIGNAL);
	if (sent < 0 && (errno == EINTR || errno == EAGAIN))
		sent = 0;
	if (sent < 0)
		drop(fd);
	else if (sent < size)
		keep_rest(fd, buffer + sent, (size_t)(size - sent));
}

static void send_rest(int fd)
{
	struct rest *rest = rests[fd];
	ssize_t sent = send(fd, rest->data + rest->sent, rest->size - rest->sent, MSG_NOSIGNAL);

	if (sent < 0) {
		if (errno != EINTR && errno != EAGAIN)
			drop(fd);
		return;
	}
	rest->sent += (size_t)sent;
	if (rest->sent == rest->size) {
		free(rest);
		rests[fd] = NULL;
		watch(EPOLL_CTL_MOD, fd, EPOLLIN);
	}
}

/* One connection a turn: while more wait, the listener stays ready. */
static void take(int listener)
{
	const int on = 1;
	int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);

	if (fd < 0)
		return;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	watch(EPOLL_CTL_ADD, fd, EPOLLIN);
}

static int listen_on_loopback(uint16_t port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
	socklen_t length = sizeof(address);
	const int on = 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	if (fd < 0)
		die("socket");
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		die("bind");
	if (listen(fd, SOMAXCONN) < 0)
		die("listen");
	if (getsockname(fd, (struct sockaddr *)&address, &length) < 0)
		die("getsockname");
	printf("listening on 127.0.0.1:%u\n", (unsigned)ntohs(address.sin_port));
	fflush(stdout);
	return fd;
}

static void raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		die("getrlimit");
	limit.rlim_cur = limit.rlim_max < DESCRIPTORS ? limit.rlim_max : DESCRIPTORS;
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		die("setrlimit");
}

int main(int argc, char **argv)
{
	struct epoll_event events[BATCH];
	int listener;

	if (argc != 2) {
		fprintf(stderr, "usage: epoll_server PORT\n");
		return 2;
	}
	raise_descriptor_limit();
	poller = epoll_create1(0);
	if (poller < 0)
		die("epoll_create1");
	listener = listen_on_loopback((uint16_t)atoi(argv[1]));
	watch(EPOLL_CTL_ADD, listener, EPOLLIN);
	for (;;) {
		int n = epoll_wait(poller, events, BATCH, -1);

		for (int i = 0; i < n; i++) {
			int fd = events[i].data.fd;

			if (fd == listener)
				take(fd);
			else if (rests[fd])
				send_rest(fd);
			else
				answer(fd);
		}
	}
}
