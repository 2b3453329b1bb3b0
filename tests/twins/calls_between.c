/* A library between the program and libc sees each call on a descriptor that does not block, as natively (calls_between_lib.c). */
#include <sys/uio.h>

#include "twin.h"

extern int calls_seen;

static void saw(const char *name, ssize_t n)
{
	printf("%s: %zd, seen %d\n", name, n, calls_seen);
	calls_seen = 0;
}

static void *run(void *arg)
{
	char bytes[4] = "abc";
	struct iovec v = {bytes, 1};
	struct msghdr msg = {.msg_iov = &v, .msg_iovlen = 1};
	int fd[2];
	until_reported();
	check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd) == 0);
	calls_seen = 0;
	saw("send", send(fd[0], bytes, 3, 0));
	saw("sendmsg", sendmsg(fd[0], &msg, 0));
	saw("writev", writev(fd[0], &v, 1));
	saw("sendto", sendto(fd[0], bytes, 1, 0, NULL, 0));
	saw("read", read(fd[1], bytes, 1));
	saw("recv", recv(fd[1], bytes, 1, 0));
	saw("recvmsg", recvmsg(fd[1], &msg, 0));
	saw("readv", readv(fd[1], &v, 1));
	saw("recvfrom", recvfrom(fd[1], bytes, 1, 0, NULL, NULL));
	return arg;
}

int main(void)
{
	pthread_t t = spawn(run, NULL);
	report_threads();
	join(t);
	return 0;
}
