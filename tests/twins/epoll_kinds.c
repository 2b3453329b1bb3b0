/* What the kernel promises of epoll holds through a park: edges, one-shots, how many events at once, hang-ups, urgent data, errors. */
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include "twin.h"

static int epoll, fd[2];
static sem_t here, go;

static void *writer(void *arg)
{
	for (int i = 0; i < 3; i++) {
		wait_for(&go);
		check(write(fd[1], "xyz", 3) == 3);
	}
	wait_for(&go);
	check(shutdown(fd[1], SHUT_WR) == 0);
	wait_for(&go);
	check(close(fd[1]) == 0);
	return NULL;
}

static void wait_and_say(int timeout)
{
	struct epoll_event event = {0};
	int n = epoll_wait(epoll, &event, 1, timeout);
	printf("%d event, flags %#x\n", n, n == 1 ? event.events : 0);
}

static void *reader(void *arg)
{
	char bytes[16];
	report_threads();
	/* An edge: once for each arrival, read or not. */
	for (int i = 0; i < 2; i++) {
		sem_post(&go);
		wait_and_say(-1);
		wait_and_say(0);
	}
	struct epoll_event event = {.events = EPOLLIN | EPOLLONESHOT};
	check(epoll_ctl(epoll, EPOLL_CTL_MOD, fd[0], &event) == 0);
	wait_and_say(-1);
	sem_post(&go);
	wait_and_say(10);
	event.events = EPOLLIN | EPOLLRDHUP;
	check(epoll_ctl(epoll, EPOLL_CTL_MOD, fd[0], &event) == 0);
	wait_and_say(-1);
	show(recv(fd[0], bytes, sizeof bytes, MSG_DONTWAIT));
	sem_post(&go);
	wait_and_say(-1);
	/* A hang-up is told also to those who asked for nothing. */
	event.events = 0;
	check(epoll_ctl(epoll, EPOLL_CTL_MOD, fd[0], &event) == 0);
	sem_post(&go);
	wait_and_say(-1);
	return NULL;
}

static void many_at_once(void)
{
	enum { N = 40, ROOM = 16 };
	struct epoll_event events[ROOM], event = {.events = EPOLLIN | EPOLLET};
	int seen = 0, calls = 0, set = epoll_create1(0);
	for (int i = 0; i < N; i++) {
		int e = eventfd(1, 0);
		event.data.fd = e;
		check(e >= 0 && epoll_ctl(set, EPOLL_CTL_ADD, e, &event) == 0);
	}
	for (int n; (n = epoll_wait(set, events, ROOM, 0)) > 0; calls++)
		seen += n;
	printf("%d events in %d calls\n", seen, calls);
}

static void *wrong(void *arg)
{
	struct epoll_event event;
	show(epoll_wait(-1, &event, 1, -1));
	show(epoll_wait(fd[0], &event, 1, -1));
	show(epoll_wait(epoll, &event, 0, -1));
	volatile int negative = -1;
	show(epoll_wait(epoll, &event, negative, 0));
	struct timespec bad = {.tv_nsec = 1000000000};
	show(epoll_pwait2(epoll, &event, 1, &bad, NULL));
	return NULL;
}

int main(void)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLET};
	sem_init(&here, 0, 0);
	sem_init(&go, 0, 0);
	stream_pair(fd);
	epoll = epoll_create1(0);
	check(epoll_ctl(epoll, EPOLL_CTL_ADD, fd[0], &event) == 0);
	pthread_t w = spawn(writer, NULL), r = spawn(reader, NULL);
	join(r);
	join(w);
	many_at_once();
	join(spawn(wrong, NULL));
	return 0;
}
