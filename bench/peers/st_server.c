/* st_server: the same server on State Threads: a thread of theirs for each connection, blocking calls of theirs.
 *
 * Usage: st_server PORT    (0: any free port). Prints `listening on 127.0.0.1:PORT`.
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <st.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "bench/peers/limit.h"

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void *serve(void *arg)
{
	st_netfd_t fd = arg;
	char buffer[1024];
	ssize_t size;

	while ((size = st_read(fd, buffer, sizeof buffer, ST_UTIME_NO_TIMEOUT)) > 0) {
		for (ssize_t i = 0; i < size; i++)
			buffer[i] = (char)toupper((unsigned char)buffer[i]);
		if (st_write(fd, buffer, (size_t)size, ST_UTIME_NO_TIMEOUT) != size)
			break;
	}
	st_netfd_close(fd);
	return NULL;
}

int main(int argc, char **argv)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t length = sizeof address;
	const int on = 1;

	if (argc != 2)
		return 2;
	raise_descriptor_limit();
	/* Debian builds it without epoll; its default, select, ends at 1024 descriptors. */
	if (st_set_eventsys(ST_EVENTSYS_POLL) < 0 || st_init() < 0)
		die("st_init");
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	address.sin_port = htons((uint16_t)atoi(argv[1]));
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof address) < 0 ||
	    listen(listener, SOMAXCONN) < 0 || getsockname(listener, (struct sockaddr *)&address, &length) < 0)
		die("listening");
	st_netfd_t accepting = st_netfd_open_socket(listener);
	printf("listening on 127.0.0.1:%u\n", (unsigned)ntohs(address.sin_port));
	fflush(stdout);
	for (;;) {
		st_netfd_t fd = st_accept(accepting, NULL, NULL, ST_UTIME_NO_TIMEOUT);

		if (fd == NULL)
			continue;
		setsockopt(st_netfd_fileno(fd), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
		if (st_thread_create(serve, fd, 0, 0) == NULL)
			st_netfd_close(fd);
	}
}
