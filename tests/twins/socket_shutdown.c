/* shutdown wakes whoever is parked on the socket: readers, writers, acceptors; half-closed both ways; then close. */
#include "twin.h"

#include <sys/uio.h>

static sem_t here;

static void *reader(void *arg)
{
	char byte;
	sem_post(&here);
	ssize_t n = recv((int)(long)arg, &byte, 1, 0);
	printf("reader: %zd\n", n);
	return NULL;
}

static void *ending_reader(void *arg)
{
	char byte;
	sem_post(&here);
	check(recv((int)(long)arg, &byte, 1, 0) <= 0);
	puts("reader ended");
	return NULL;
}

static void *writer(void *arg)
{
	static char block[32 << 20];
	ssize_t n;
	sem_post(&here);
	do
		n = send((int)(long)arg, block, sizeof block, MSG_NOSIGNAL);
	while (n > 0);
	printf("writer: %zd %s\n", n, strerrorname_np(errno));
	return NULL;
}

static void *acceptor(void *arg)
{
	sem_post(&here);
	int fd = accept((int)(long)arg, NULL, NULL);
	printf("acceptor: %d %s\n", fd, strerrorname_np(errno));
	return NULL;
}

static pthread_t start(void *(*run)(void *), int fd)
{
	pthread_t t = spawn(run, (void *)(long)fd);
	wait_for(&here);
	return t;
}

static void connected(int kind, int fd[2])
{
	if (kind)
		tcp_pair(fd);
	else
		stream_pair(fd);
}

int main(void)
{
	int fd[2];
	char byte, buffer[100];
	struct sockaddr_in address;
	sem_init(&here, 0, 0);
	for (int kind = 0; kind < 2; kind++) {
		puts(kind ? "tcp" : "unix");
		connected(kind, fd);
		pthread_t t = start(reader, fd[0]);
		report_threads();
		check(shutdown(fd[0], SHUT_RD) == 0);
		join(t);
		close(fd[0]);
		close(fd[1]);

		connected(kind, fd);
		t = start(writer, fd[1]);
		check(recv(fd[0], &byte, 1, MSG_WAITALL) == 1);
		check(shutdown(fd[1], SHUT_WR) == 0);
		join(t);
		close(fd[0]);
		close(fd[1]);

		/* Half-closed: one says it is done and still gets its answer. */
		connected(kind, fd);
		t = start(reader, fd[0]);
		check(shutdown(fd[1], SHUT_WR) == 0);
		join(t);
		show(send(fd[1], "x", 1, MSG_NOSIGNAL));
		show(send(fd[0], "answer", 6, 0));
		show(recv(fd[1], buffer, sizeof buffer, 0));
		t = start(reader, fd[1]);
		check(shutdown(fd[0], SHUT_RDWR) == 0);
		join(t);
		close(fd[0]);
		close(fd[1]);
	}
	int listening = tcp_listener(&address);
	pthread_t t = start(acceptor, listening);
	check(shutdown(listening, SHUT_RDWR) == 0);
	join(t);

	/* Who waits for a datagram gets one of no bytes, and so does who comes later; also where shutdown says that there is no peer. */
	int three[3] = {bound(SOCK_DGRAM, &address), bound(SOCK_DGRAM, &address), -1};
	check(connect(three[1], (struct sockaddr *)&address, sizeof address) == 0);
	check(socketpair(AF_UNIX, SOCK_DGRAM, 0, fd) == 0);
	three[2] = fd[0];
	for (int i = 0; i < 3; i++) {
		char from[100];
		socklen_t size = sizeof from;
		struct iovec part = {buffer, sizeof buffer};
		struct mmsghdr two[2] = {{.msg_hdr = {.msg_iov = &part, .msg_iovlen = 1}},
					 {.msg_hdr = {.msg_iov = &part, .msg_iovlen = 1}}};
		t = start(reader, three[i]);
		int shut = shutdown(three[i], SHUT_RDWR);
		join(t);
		printf("%d\n", shut);
		show(recvfrom(three[i], buffer, sizeof buffer, 0, (struct sockaddr *)from, &size));
		show(recvmsg(three[i], &two[0].msg_hdr, 0));
		show(recvmmsg(three[i], two, 2, 0, NULL));
		show(read(three[i], buffer, sizeof buffer));
		close(three[i]);
	}

	/* shutdown, then close by another thread than the one that is parked. It may see end of file, or the close. */
	tcp_pair(fd);
	t = start(ending_reader, fd[0]);
	shutdown(fd[0], SHUT_RDWR);
	close(fd[0]);
	join(t);
	show(recv(fd[0], &byte, 1, 0));
	show(shutdown(fd[0], SHUT_RDWR));
	show(shutdown(fd[1], 77));
	show(shutdown(0, SHUT_RD));
	show(shutdown(socket(AF_INET, SOCK_STREAM, 0), SHUT_RD));
	return 0;
}
