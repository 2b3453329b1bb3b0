/* open.c: connecting, and the two proxy handshakes.
 *
 * One connection at a time, with blocking calls: so no more than one connection ever waits in the server's accept
 * queue, however short its backlog is, and the cost of opening is not part of anything that is measured.
 */
#include "open.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

int send_whole(int fd, const void *data, size_t size)
{
	const char *next = data;

	while (size > 0) {
		ssize_t n = send(fd, next, size, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		next += n;
		size -= (size_t)n;
	}
	return 0;
}

int recv_whole(int fd, void *data, size_t size)
{
	char *next = data;

	while (size > 0) {
		ssize_t n = recv(fd, next, size, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n == 0)
			errno = EPIPE;
		if (n <= 0)
			return -1;
		next += n;
		size -= (size_t)n;
	}
	return 0;
}

/* RFC 1928: no authentication; CONNECT to an IPv4 address; the answer then also holds an IPv4 address. */
static int socks5(int fd, const struct sockaddr_in *to)
{
	unsigned char request[10] = {5, 1, 0, 1};
	unsigned char answer[10];

	if (send_whole(fd, "\5\1\0", 3) < 0 || recv_whole(fd, answer, 2) < 0)
		return -1;
	memcpy(request + 4, &to->sin_addr, 4);
	memcpy(request + 8, &to->sin_port, 2);
	if (answer[0] != 5 || answer[1] != 0 || send_whole(fd, request, 10) < 0 || recv_whole(fd, answer, 10) < 0)
		return -1;
	if (answer[0] == 5 && answer[1] == 0 && answer[3] == 1)
		return 0;
	errno = ECONNREFUSED;
	return -1;
}

/* RFC 9110, section 9.3.6. The head is read byte by byte: what follows it belongs to the tunnel. */
static int http_connect(int fd, const struct sockaddr_in *to)
{
	char text[1024], host[INET_ADDRSTRLEN];
	size_t size = 0;
	int n;

	inet_ntop(AF_INET, &to->sin_addr, host, sizeof(host));
	n = snprintf(text, sizeof(text), "CONNECT %s:%u HTTP/1.1\r\nHost: %s:%u\r\n\r\n", host,
		     (unsigned)ntohs(to->sin_port), host, (unsigned)ntohs(to->sin_port));
	if (send_whole(fd, text, (size_t)n) < 0)
		return -1;
	while (size < 4 || memcmp(text + size - 4, "\r\n\r\n", 4) != 0) {
		if (size == sizeof(text) - 1) {
			errno = EPROTO;
			return -1;
		}
		if (recv_whole(fd, text + size, 1) < 0)
			return -1;
		size++;
	}
	text[size] = '\0';
	if (strncmp(text, "HTTP/1.", 7) == 0 && strncmp(text + 8, " 200", 4) == 0)
		return 0;
	errno = ECONNREFUSED;
	return -1;
}

int open_connection(const struct options *options)
{
	struct timeval patience = {.tv_sec = (time_t)options->patience,
				   .tv_usec = (suseconds_t)((options->patience - (time_t)options->patience) * 1e6)};
	const int on = 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (connect(fd, (const struct sockaddr *)&options->server, sizeof(options->server)) == 0 &&
	    (options->via != VIA_SOCKS5 || socks5(fd, &options->upstream) == 0) &&
	    (options->via != VIA_HTTP || http_connect(fd, &options->upstream) == 0))
		return fd;
	close(fd);
	return -1;
}
