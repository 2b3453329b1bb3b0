/* The flags of send that change how bytes go and not what arrives, on streams and messages: the sender's answer, and what the receiver, which waits for
 * it, finds. */
#include <netinet/tcp.h>

#include "twin.h"

static int fd[2];
static sem_t here;
static char found[80]; /* by the receiver, told when it has ended */

static const struct {
	const char *name;
	int flag;
} flags[] = {
	{"none", 0},
	{"MSG_DONTROUTE", MSG_DONTROUTE},
	{"MSG_CONFIRM", MSG_CONFIRM},
	{"MSG_EOR", MSG_EOR},
	{"MSG_MORE", MSG_MORE},
	{"MSG_ZEROCOPY", MSG_ZEROCOPY},
	{"MSG_MORE | MSG_NOSIGNAL", MSG_MORE | MSG_NOSIGNAL},
};

static void *receive(void *arg)
{
	char bytes[8];
	struct iovec v = {bytes, 4};
	struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1};
	sem_post(&here);
	ssize_t n = recvmsg(fd[1], &m, arg ? MSG_WAITALL : 0);
	snprintf(found, sizeof found, "%zd %.*s, end of record %d", n, (int)n, bytes, !!(m.msg_flags & MSG_EOR));
	return NULL;
}

static void all_on(const char *what, bool stream)
{
	for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
		pthread_t t = spawn(receive, stream ? fd : NULL);
		wait_for(&here);
		report_threads();
		printf("%s, %s\n", what, flags[i].name);
		show(send(fd[0], "ab", 2, flags[i].flag));
		show(send(fd[0], "cd", 2, 0));
		join(t);
		printf("  %s\n", found);
		char rest[4];
		while (recv(fd[1], rest, sizeof rest, MSG_DONTWAIT) > 0)
			;
	}
	close(fd[0]);
	close(fd[1]);
}

int main(void)
{
	sem_init(&here, 0, 0);
	tcp_pair(fd);
	all_on("tcp", true);
	check(socketpair(AF_UNIX, SOCK_STREAM, 0, fd) == 0);
	all_on("unix stream", true);
	check(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fd) == 0);
	all_on("packets", false);
	return 0;
}
