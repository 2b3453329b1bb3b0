/* connect: blocking, refused, non-blocking with poll and SO_ERROR, again when connected, an Unix path that is not
 * there. */
#include <poll.h>
#include <sys/un.h>

#include "twin.h"

static int gate[2];

static void *parked(void *arg)
{
	char byte;
	check(read(gate[0], &byte, 1) == 1);
	return arg;
}

static int so_error(int fd)
{
	int error = -1;
	socklen_t size = sizeof error;
	check(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0);
	return error;
}

static void nonblocking(const struct sockaddr_in *address)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	struct pollfd p = {.fd = fd, .events = POLLOUT};
	show(connect(fd, (const struct sockaddr *)address, sizeof *address));
	show(poll(&p, 1, -1));
	printf("writable %d, error %s\n", !!(p.revents & POLLOUT), strerrorname_np(so_error(fd)));
	show(connect(fd, (const struct sockaddr *)address, sizeof *address));
	close(fd);
}

int main(void)
{
	struct sockaddr_in address, closed, own, peer;
	socklen_t size = sizeof peer;
	check(pipe(gate) == 0);
	pthread_t t = spawn(parked, NULL);
	report_threads();

	int listening = tcp_listener(&address), fd = socket(AF_INET, SOCK_STREAM, 0);
	show(connect(fd, (struct sockaddr *)&address, sizeof address));
	show(connect(fd, (struct sockaddr *)&address, sizeof address));
	printf("blocking still: %d\n", !(fcntl(fd, F_GETFL) & O_NONBLOCK));
	int other = accept(listening, (struct sockaddr *)&peer, &size);
	check(other >= 0 && getsockname(fd, (struct sockaddr *)&own, &size) == 0);
	printf("same address seen: %d\n", peer.sin_port == own.sin_port);
	check(getpeername(fd, (struct sockaddr *)&peer, &size) == 0);
	printf("peer is the listener: %d\n", peer.sin_port == address.sin_port);

	int nobody = bound(SOCK_STREAM, &closed);
	int refused = socket(AF_INET, SOCK_STREAM, 0);
	show(connect(refused, (struct sockaddr *)&closed, sizeof closed));
	show(connect(refused, (struct sockaddr *)&closed, sizeof closed));
	printf("error left: %d\n", so_error(refused));
	nonblocking(&address);
	nonblocking(&closed);
	close(nobody);

	show(connect(-1, (struct sockaddr *)&address, sizeof address));
	show(connect(0, (struct sockaddr *)&address, sizeof address));
	show(connect(socket(AF_INET, SOCK_STREAM, 0), (struct sockaddr *)&address, 3));
	struct sockaddr_un path = {.sun_family = AF_UNIX, .sun_path = "nowhere"};
	show(connect(socket(AF_INET, SOCK_STREAM, 0), (struct sockaddr *)&path, sizeof path));
	show(connect(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&path, sizeof path));

	/* A datagram socket connects at once, and can be connected again or set free. */
	int datagram = socket(AF_INET, SOCK_DGRAM, 0);
	struct sockaddr none = {.sa_family = AF_UNSPEC};
	show(connect(datagram, (struct sockaddr *)&address, sizeof address));
	show(connect(datagram, (struct sockaddr *)&closed, sizeof closed));
	show(connect(datagram, &none, sizeof none));
	show(send(datagram, "x", 1, 0));

	check(write(gate[1], "x", 1) == 1);
	join(t);
	return 0;
}
