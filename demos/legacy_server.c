/* legacy_server: the program that this project is about, as it has been written for thirty years.
 *
 * One thread per connection, default attributes, blocking calls only; it answers each byte with its upper case. Plain
 * POSIX: it includes no header of this project and is linked with libc alone, so that whatever it gains under
 * LD_PRELOAD=libpatch.so it gains without a change.
 *
 * Usage: legacy_server PORT    (0: any free port). Prints `listening on 127.0.0.1:PORT`.
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static int send_all(int fd, const char *data, size_t size)
{
	while (size > 0) {
		ssize_t sent = send(fd, data, size, MSG_NOSIGNAL);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0)
			return -1;
		data += sent;
		size -= (size_t)sent;
	}
	return 0;
}

/* One connection, from accept to end of file. The buffer is small so that the thread's stack stays within one page. */
static void *serve(void *arg)
{
	int fd = (int)(intptr_t)arg;
	char buffer[1024];

	for (;;) {
		ssize_t size = recv(fd, buffer, sizeof(buffer), 0);

		if (size < 0 && errno == EINTR)
			continue;
		if (size <= 0)
			break;
		for (ssize_t i = 0; i < size; i++)
			buffer[i] = (char)toupper((unsigned char)buffer[i]);
		if (send_all(fd, buffer, (size_t)size) < 0)
			break;
	}
	close(fd);
	return NULL;
}

static void start_thread(int fd)
{
	pthread_t thread;
	int error = pthread_create(&thread, NULL, serve, (void *)(intptr_t)fd);

	if (error) {
		/* EAGAIN: no memory or no thread left. This client is turned away; the others are served on. */
		fprintf(stderr, "legacy_server: pthread_create: %s\n", strerror(error));
		close(fd);
		return;
	}
	pthread_detach(thread);
}

static void accept_forever(int listener)
{
	const int on = 1;

	for (;;) {
		int fd = accept(listener, NULL, NULL);

		if (fd >= 0) {
			setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
			start_thread(fd);
		} else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
			/* The connection stays queued, so accept would fail again at once: let a client leave first. */
			nanosleep(&(struct timespec){.tv_nsec = 10 * 1000 * 1000}, NULL);
		} else if (errno == EBADF || errno == EINVAL || errno == ENOTSOCK || errno == EFAULT) {
			die("accept");
		}
		/* Anything else is the failure of one connection (accept(2), "Error handling"). */
	}
}

static int listen_on_loopback(uint16_t port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
	socklen_t length = sizeof(address);
	const int on = 1;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

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

/* A descriptor per client: the usual soft limit of 1024 would end the party early. */
static void raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

int main(int argc, char **argv)
{
	char *end = NULL;
	long port = argc == 2 ? strtol(argv[1], &end, 10) : -1;

	if (port < 0 || port > 65535 || !end || end == argv[1] || *end != '\0') {
		fprintf(stderr, "usage: legacy_server PORT\n");
		return 2;
	}
	raise_descriptor_limit();
	accept_forever(listen_on_loopback((uint16_t)port));
}
