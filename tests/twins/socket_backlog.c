/* connect parks: the listener's queue is full, until another thread accepts from it. The kernel tries again after a
 * second. */
#include "twin.h"

static struct sockaddr_in address;
static sem_t here;

static void *dial(void *arg)
{
	sem_post(&here);
	int fd = tcp_dial(&address);
	check(send(fd, "late", 4, 0) == 4);
	close(fd);
	return arg;
}

int main(void)
{
	char buffer[10];
	sem_init(&here, 0, 0);
	int listening = bound(SOCK_STREAM, &address);
	check(listen(listening, 0) == 0);
	int first = tcp_dial(&address);
	pthread_t t = spawn(dial, NULL);
	wait_for(&here);
	report_threads();
	check(send(first, "early", 5, 0) == 5);
	for (int i = 0; i < 2; i++) {
		int fd = accept(listening, NULL, NULL);
		check(fd >= 0);
		ssize_t n = recv(fd, buffer, sizeof buffer, 0);
		printf("%.*s\n", (int)n, buffer);
		close(fd);
	}
	join(t);
	return 0;
}
