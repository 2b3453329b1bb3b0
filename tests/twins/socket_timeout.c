/* SO_RCVTIMEO and SO_SNDTIMEO: EAGAIN when the time is over, and what had gone through till then is counted. */
#include <poll.h>
#include <sys/time.h>

#include "twin.h"

enum { READERS = 10 };

static sem_t here, go;

static void set(int fd, int option, long usec)
{
	struct timeval t = {usec / 1000000, usec % 1000000};
	check(setsockopt(fd, SOL_SOCKET, option, &t, sizeof t) == 0);
}

static void *time_out(void *arg)
{
	int fd[2];
	char byte;
	stream_pair(fd);
	set(fd[0], SO_RCVTIMEO, 200000);
	double began = now();
	sem_post(&here);
	errno = 0;
	together(READERS, (arg ? recv(fd[0], &byte, 1, 0) : read(fd[0], &byte, 1)) == -1 && errno == EAGAIN);
	double took = now() - began;
	check(took >= 0.19);
	return NULL;
}

static void *park(void *arg)
{
	wait_for(&go);
	return arg;
}

int main(void)
{
	pthread_t t[READERS];
	struct sockaddr_in address;
	char buffer[10];
	int fd[2];
	sem_init(&here, 0, 0);
	sem_init(&go, 0, 0);
	for (long i = 0; i < READERS; i++)
		t[i] = spawn(time_out, (void *)(i % 2));
	for (int i = 0; i < READERS; i++)
		wait_for(&here);
	report_threads();
	for (int i = 0; i < READERS; i++)
		join(t[i]);
	puts("timed out together");

	t[0] = spawn(park, NULL);
	tcp_pair(fd);
	set(fd[0], SO_RCVTIMEO, 50000);
	check(send(fd[1], "123", 3, 0) == 3);
	show(recv(fd[0], buffer, sizeof buffer, MSG_WAITALL));
	show(recv(fd[0], buffer, sizeof buffer, MSG_WAITALL));
	show(recvmsg(fd[0], &(struct msghdr){0}, 0));
	check(send(fd[1], "123", 3, 0) == 3);
	show(recv(fd[0], buffer, sizeof buffer, 0));
	struct pollfd p = {.fd = fd[0], .events = POLLIN};
	show(poll(&p, 1, 20));

	static char block[64 << 20];
	set(fd[1], SO_SNDTIMEO, 50000);
	ssize_t n = send(fd[1], block, sizeof block, 0);
	printf("tcp, a part went: %d\n", n > 0 && n < (ssize_t)sizeof block);

	stream_pair(fd);
	set(fd[1], SO_SNDTIMEO, 50000);
	n = send(fd[1], block, sizeof block, 0);
	printf("unix, a part went: %d\n", n > 0 && n < (ssize_t)sizeof block);
	show(send(fd[1], block, 1 << 20, 0));
	show(write(fd[1], block, 1 << 20));

	int listening = tcp_listener(&address);
	set(listening, SO_RCVTIMEO, 50000);
	show(accept(listening, NULL, NULL));
	int datagram = bound(SOCK_DGRAM, &address);
	set(datagram, SO_RCVTIMEO, 50000);
	show(recvfrom(datagram, buffer, sizeof buffer, 0, NULL, NULL));

	/* The time is kept by the socket, and is seen as it was set (rounded to ticks). */
	struct timeval seen;
	socklen_t size = sizeof seen;
	check(getsockopt(datagram, SOL_SOCKET, SO_RCVTIMEO, &seen, &size) == 0);
	printf("seen %ld.%06ld\n", (long)seen.tv_sec, (long)seen.tv_usec / 10000 * 10000);
	sem_post(&go);
	join(t[0]);
	return 0;
}
