/* MSG_PEEK, MSG_WAITALL, MSG_DONTWAIT, MSG_TRUNC, out-of-band data, zero lengths: with waiting where they have to
 * wait. */
#include "twin.h"

static int fd[2];
static sem_t here;

static void *peek(void *arg)
{
	char buffer[10] = "";
	sem_post(&here);
	ssize_t n = recv(fd[0], buffer, 5, MSG_PEEK);
	printf("peeked %zd %s\n", n, buffer);
	n = recv(fd[0], buffer, 9, 0);
	printf("then read %zd %s\n", n, buffer);
	return arg;
}

static void *wait_all(void *arg)
{
	char buffer[11] = "";
	sem_post(&here);
	ssize_t n = recv(fd[0], buffer, 10, MSG_WAITALL);
	printf("all %zd %s\n", n, buffer);
	sem_post(&here);
	memset(buffer, 0, sizeof buffer);
	n = recv(fd[0], buffer, 10, MSG_WAITALL);
	printf("until the end %zd %s\n", n, buffer);
	return arg;
}

int main(void)
{
	char byte, buffer[10];
	sem_init(&here, 0, 0);
	for (int kind = 0; kind < 2; kind++) {
		puts(kind ? "tcp" : "unix");
		if (kind)
			tcp_pair(fd);
		else
			stream_pair(fd);
		show(recv(fd[0], &byte, 1, MSG_DONTWAIT));
		show(recv(fd[0], &byte, 1, MSG_DONTWAIT | MSG_WAITALL));
		pthread_t t = spawn(peek, NULL);
		wait_for(&here);
		report_threads();
		show(send(fd[0], buffer, 0, 0));
		check(send(fd[1], "peek", 4, 0) == 4);
		join(t);

		t = spawn(wait_all, NULL);
		wait_for(&here);
		check(send(fd[1], "0123", 4, 0) == 4);
		check(send(fd[1], "4567", 4, 0) == 4);
		check(send(fd[1], "89", 2, 0) == 2);
		wait_for(&here);
		check(send(fd[1], "rest", 4, 0) == 4);
		check(shutdown(fd[1], SHUT_WR) == 0);
		join(t);
		show(recv(fd[0], &byte, 1, 0));
		show(recv(fd[0], &byte, 1, MSG_DONTWAIT));

		static char block[1 << 16];
		ssize_t n;
		while ((n = send(fd[0], block, sizeof block, MSG_DONTWAIT)) > 0)
			;
		printf("full: %zd %s\n", n, strerrorname_np(errno));
		close(fd[0]);
		close(fd[1]);
	}
	tcp_pair(fd);
	check(send(fd[1], "a", 1, 0) == 1);
	check(send(fd[1], "!", 1, MSG_OOB) == 1);
	check(send(fd[1], "b", 1, 0) == 1);
	show(recv(fd[0], buffer, sizeof buffer, 0));
	while (recv(fd[0], &byte, 1, MSG_OOB) < 0)
		check(errno == EAGAIN || errno == EINVAL);
	printf("out of band %c\n", byte);
	show(recv(fd[0], buffer, sizeof buffer, 0));
	printf("after it %c\n", buffer[0]);
	return 0;
}
