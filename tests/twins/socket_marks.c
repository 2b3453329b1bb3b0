/* How much a read of a stream waits for: SO_RCVLOWAT, MSG_WAITALL, both with MSG_PEEK, the timeout that cuts them short; and
 * an error that comes in the middle of a long send, which the next call must meet. */
#include <sys/uio.h>

#include "twin.h"

static int fd[2];
static char block[4 << 20], buffer[100];
static sem_t here;

static void *second(void *text)
{
	wait_for(&here);
	check(send(fd[1], text, strlen(text), 0) == (ssize_t)strlen(text));
	return NULL;
}

/* A read of n bytes that needs the rest, or one that does not: then the rest is sent when it has returned. */
static void two_parts(const char *first, char *rest, size_t n, int flags, bool needs_rest)
{
	pthread_t t = spawn(second, rest);
	/* A read that took just what it asked for says nothing about what is left. */
	check(send(fd[1], "1234", 4, 0) == 4 && recv(fd[0], buffer, 4, 0) == 4);
	check(send(fd[1], first, strlen(first), 0) == (ssize_t)strlen(first));
	report_threads();
	if (needs_rest)
		sem_post(&here);
	ssize_t got = recv(fd[0], buffer, n, flags);
	if (!needs_rest)
		sem_post(&here);
	join(t);
	printf("%s + %s, %zu wanted, flags %x: %zd %.*s\n", first, rest, n, (unsigned)flags, got, (int)got, buffer);
	got = recv(fd[0], buffer, sizeof buffer, MSG_DONTWAIT);
	printf("  left %zd\n", got);
}

static void *reset(void *arg)
{
	struct linger at_once = {.l_onoff = 1};
	wait_for(&here);
	check(recv(fd[1], buffer, sizeof buffer, MSG_WAITALL) == sizeof buffer);
	check(setsockopt(fd[1], SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once) == 0);
	close(fd[1]);
	return arg;
}

int main(void)
{
	sem_init(&here, 0, 0);
	tcp_pair(fd);
	two_parts("ab", "cdef", 6, MSG_WAITALL, true);
	two_parts("ab", "cdef", 6, MSG_WAITALL | MSG_PEEK, true);
	two_parts("ab", "cdef", 6, 0, false);
	int mark = 4;
	check(setsockopt(fd[0], SOL_SOCKET, SO_RCVLOWAT, &mark, sizeof mark) == 0);
	two_parts("ab", "cdef", sizeof buffer, 0, true);
	two_parts("ab", "cdef", sizeof buffer, MSG_PEEK, true);
	int twin = dup(fd[0]);
	mark = 1;
	check(setsockopt(twin, SOL_SOCKET, SO_RCVLOWAT, &mark, sizeof mark) == 0);
	two_parts("ab", "cdef", sizeof buffer, 0, false);
	close(twin);

	struct timeval soon = {.tv_usec = 30000};
	check(setsockopt(fd[0], SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof soon) == 0);
	check(send(fd[1], "ab", 2, 0) == 2);
	show(recv(fd[0], buffer, 6, MSG_WAITALL | MSG_PEEK));
	show(recv(fd[0], buffer, 6, MSG_WAITALL));
	struct iovec v[2] = {{buffer, 1}, {buffer + 10, 5}};
	check(send(fd[1], "abc", 3, 0) == 3);
	show(recvmsg(fd[0], &(struct msghdr){.msg_iov = v, .msg_iovlen = 2}, MSG_WAITALL));
	printf("%.1s %.2s\n", buffer, buffer + 10);
	show(recv(fd[0], buffer, 0, 0));

	pthread_t t = spawn(reset, NULL);
	sem_post(&here);
	ssize_t sent = send(fd[0], block, sizeof block, 0);
	join(t);
	printf("a part went: %d\n", sent > 0 && sent < (ssize_t)sizeof block);
	show(send(fd[0], block, 1, MSG_NOSIGNAL));
	show(send(fd[0], block, 1, MSG_NOSIGNAL));
	close(fd[0]);
	return 0;
}
