/* TCP's urgent byte: poll with POLLPRI and select with exceptfds park until it comes, and ordinary data does not
 * wake them. */
#include <poll.h>
#include <sys/select.h>

#include "twin.h"

static int fd[2];
static sem_t here;

static void *by_poll(void *arg)
{
	struct pollfd p = {.fd = fd[0], .events = POLLPRI};
	sem_post(&here);
	int n = poll(&p, 1, -1);
	printf("poll %d, PRI %d, IN %d\n", n, !!(p.revents & POLLPRI), !!(p.revents & POLLIN));
	return arg;
}

static void *by_select(void *arg)
{
	fd_set except;
	FD_ZERO(&except);
	FD_SET(fd[0], &except);
	sem_post(&here);
	int n = select(fd[0] + 1, NULL, NULL, &except, NULL);
	printf("select %d, in exceptfds %d\n", n, !!FD_ISSET(fd[0], &except));
	return arg;
}

static void *by_hangup(void *arg)
{
	struct pollfd p = {.fd = fd[0], .events = POLLRDHUP};
	sem_post(&here);
	int n = poll(&p, 1, -1);
	printf("poll %d, RDHUP %d\n", n, !!(p.revents & POLLRDHUP));
	return arg;
}

int main(void)
{
	void *(*const how[2])(void *) = {by_poll, by_select};
	char byte;
	sem_init(&here, 0, 0);
	for (int i = 0; i < 2; i++) {
		tcp_pair(fd);
		pthread_t t = spawn(how[i], NULL);
		wait_for(&here);
		report_threads();
		check(send(fd[1], "a", 1, 0) == 1);
		check(recv(fd[0], &byte, 1, 0) == 1 && byte == 'a');
		check(send(fd[1], "!", 1, MSG_OOB) == 1);
		join(t);
		show(recv(fd[0], &byte, 1, MSG_OOB));
		close(fd[0]);
		close(fd[1]);
	}
	tcp_pair(fd);
	pthread_t t = spawn(by_hangup, NULL);
	wait_for(&here);
	check(send(fd[1], "a", 1, 0) == 1);
	check(shutdown(fd[1], SHUT_WR) == 0);
	join(t);
	return 0;
}
