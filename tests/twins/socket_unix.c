/* Unix sockets: streams and datagrams by path and by abstract name, sequenced packets, addresses. */
#include <sys/un.h>

#include "twin.h"

static sem_t here;

static void *serve(void *arg)
{
	char buffer[100];
	struct sockaddr_un peer;
	socklen_t size = sizeof peer;
	int listening = (int)(long)arg;
	sem_post(&here);
	int fd = accept(listening, (struct sockaddr *)&peer, &size);
	check(fd >= 0);
	printf("an unbound peer's address has %d bytes\n", (int)size);
	sem_post(&here);
	ssize_t n = recv(fd, buffer, sizeof buffer, 0);
	printf("server got %zd: %.*s\n", n, (int)n, buffer);
	check(send(fd, "answer", 6, 0) == 6);
	n = recv(fd, buffer, 3, 0);
	printf("then %zd\n", n);
	n = recv(fd, buffer, sizeof buffer, 0);
	printf("then %zd\n", n);
	close(fd);
	return NULL;
}

static void streams(const char *what, int type, const struct sockaddr_un *name, socklen_t size)
{
	char buffer[100];
	puts(what);
	int listening = socket(AF_UNIX, type, 0), fd = socket(AF_UNIX, type, 0);
	show(bind(listening, (const struct sockaddr *)name, size));
	show(listen(listening, 5));
	pthread_t t = spawn(serve, (void *)(long)listening);
	wait_for(&here);
	report_threads();
	check(connect(fd, (const struct sockaddr *)name, size) == 0);
	wait_for(&here);
	check(send(fd, "question", 8, 0) == 8);
	ssize_t n = recv(fd, buffer, sizeof buffer, 0);
	check(n == 6 && !memcmp(buffer, "answer", 6));
	/* A stream gives the rest of it later; a packet's rest is lost. */
	check(send(fd, "abcdef", 6, 0) == 6);
	shutdown(fd, SHUT_WR);
	join(t);
	show(recv(fd, buffer, sizeof buffer, 0));
	close(fd);
	close(listening);
}

static void *receive(void *arg)
{
	char buffer[100];
	struct sockaddr_un from;
	socklen_t size = sizeof from;
	sem_post(&here);
	ssize_t n = recvfrom((int)(long)arg, buffer, sizeof buffer, 0, (struct sockaddr *)&from, &size);
	printf("datagram %zd from %s\n", n, from.sun_path);
	return NULL;
}

int main(void)
{
	struct sockaddr_un path = {.sun_family = AF_UNIX, .sun_path = "socket"},
			   sender = {.sun_family = AF_UNIX, .sun_path = "sender"}, abstract = {.sun_family = AF_UNIX};
	sem_init(&here, 0, 0);
	streams("path", SOCK_STREAM, &path, sizeof path);
	unlink("socket");
	snprintf(abstract.sun_path + 1, 50, "twin-%d", (int)getpid());
	streams("abstract", SOCK_STREAM, &abstract, sizeof(sa_family_t) + 1 + 20);
	streams("packets", SOCK_SEQPACKET, &path, sizeof path);
	unlink("socket");

	int a = socket(AF_UNIX, SOCK_DGRAM, 0), b = socket(AF_UNIX, SOCK_DGRAM, 0);
	show(bind(a, (struct sockaddr *)&path, sizeof path));
	show(bind(b, (struct sockaddr *)&sender, sizeof sender));
	pthread_t t = spawn(receive, (void *)(long)a);
	wait_for(&here);
	check(sendto(b, "data", 4, 0, (struct sockaddr *)&path, sizeof path) == 4);
	join(t);
	unlink("socket");
	unlink("sender");
	return 0;
}
