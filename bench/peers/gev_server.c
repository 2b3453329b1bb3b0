/* gev_server: legacy_server written for libgev: one greenlet per connection, through the native interface.
 *
 * Usage: gev_server PORT    (0: any free port). Prints `listening on 127.0.0.1:PORT`.
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include <gev/gev.h>

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void *serve(void *arg)
{
	int fd = (int)(intptr_t)arg;
	char buffer[1024];
	ssize_t size;

	while ((size = gev_recv(fd, buffer, sizeof(buffer), 0, GEV_FOREVER)) > 0) {
		for (ssize_t i = 0; i < size; i++)
			buffer[i] = (char)toupper((unsigned char)buffer[i]);
		if (gev_send_all(fd, buffer, (size_t)size, GEV_FOREVER) != size)
			break;
	}
	gev_close(fd);
	return NULL;
}

static int listen_on_loopback(const char *port)
{
	struct sockaddr_in address = {0};
	socklen_t length = sizeof(address);
	char name[32];
	int fd;

	snprintf(name, sizeof(name), "127.0.0.1:%s", port);
	fd = gev_listen(name, SOMAXCONN);
	if (fd < 0 || getsockname(fd, (struct sockaddr *)&address, &length) < 0)
		die("gev_listen");
	printf("listening on 127.0.0.1:%u\n", (unsigned)ntohs(address.sin_port));
	fflush(stdout);
	return fd;
}

int main(int argc, char **argv)
{
	const int on = 1;
	struct rlimit limit;
	int listener;

	if (argc != 2) {
		fprintf(stderr, "usage: gev_server PORT\n");
		return 2;
	}
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
	listener = listen_on_loopback(argv[1]);
	for (;;) {
		int fd = gev_accept(listener, NULL, NULL, GEV_FOREVER);

		if (fd < 0) {
			if (errno == EBADF || errno == EINVAL || errno == ENOTSOCK)
				die("gev_accept");
			if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
				gev_sleep(0.01); /* the connection stays in the queue: let another end first */
			continue;
		}
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		if (gev_spawn_detached(NULL, serve, (void *)(intptr_t)fd))
			gev_close(fd);
	}
}
