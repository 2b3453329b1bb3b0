/* Several threads that wait for the same: with EPOLLEXCLUSIVE, each in a set of its own, on one listener; with EPOLLONESHOT, all in one set, where each
 * event is one thread's until that arms it again. Nobody's wake-up is lost, and nobody's event comes twice. */
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include "twin.h"

enum { THREADS = 4, CONNECTIONS = 200, SOCKETS = 8, MESSAGES = 60 };

static int listener, stop, shared;
static sem_t here;
static int served, messages; /* atomic */

static void watch(int epoll, int fd, uint32_t events, int op)
{
	struct epoll_event e = {.events = events, .data.fd = fd};
	check(epoll_ctl(epoll, op, fd, &e) == 0);
}

/* ---- Sets of their own ---- */

static void serve(void)
{
	int fd = accept4(listener, NULL, NULL, 0);
	if (fd < 0) {
		check(errno == EAGAIN); /* another was quicker */
		return;
	}
	char byte;
	check(recv(fd, &byte, 1, 0) == 1 && send(fd, &byte, 1, 0) == 1);
	close(fd);
	__atomic_add_fetch(&served, 1, __ATOMIC_SEQ_CST);
}

static void *exclusive(void *arg)
{
	int epoll = epoll_create1(0);
	struct epoll_event got;
	watch(epoll, listener, EPOLLIN | EPOLLEXCLUSIVE, EPOLL_CTL_ADD);
	watch(epoll, stop, EPOLLIN, EPOLL_CTL_ADD);
	if (arg) {
		struct epoll_event e = {.events = EPOLLIN | EPOLLEXCLUSIVE, .data.fd = listener};
		show(epoll_ctl(epoll, EPOLL_CTL_MOD, listener, &e));
		e.events = EPOLLIN | EPOLLEXCLUSIVE | EPOLLONESHOT;
		int other = eventfd(0, 0);
		show(epoll_ctl(epoll, EPOLL_CTL_ADD, other, &e));
		close(other);
	}
	sem_post(&here);
	for (;;) {
		check(epoll_wait(epoll, &got, 1, -1) == 1 && (got.events & EPOLLIN));
		if (got.data.fd == stop)
			break;
		serve();
	}
	close(epoll);
	return NULL;
}

static void several_sets(void)
{
	struct sockaddr_in address;
	pthread_t t[THREADS];
	uint64_t one = 1;
	listener = bound(SOCK_STREAM | SOCK_NONBLOCK, &address);
	check(listen(listener, CONNECTIONS) == 0);
	stop = eventfd(0, 0);
	for (long i = 0; i < THREADS; i++) {
		t[i] = spawn(exclusive, i == 0 ? &here : NULL);
		wait_for(&here);
	}
	report_threads();
	/* One by one, and then many at once. */
	int fd[CONNECTIONS];
	for (int i = 0; i < CONNECTIONS; i++) {
		char byte = (char)i;
		fd[i] = tcp_dial(&address);
		check(send(fd[i], &byte, 1, 0) == 1);
		if (i < CONNECTIONS / 2)
			check(recv(fd[i], &byte, 1, 0) == 1 && byte == (char)i);
	}
	for (int i = 0; i < CONNECTIONS; i++) {
		char byte;
		if (i >= CONNECTIONS / 2)
			check(recv(fd[i], &byte, 1, 0) == 1 && byte == (char)i);
		close(fd[i]);
	}
	check(write(stop, &one, sizeof one) == sizeof one);
	for (int i = 0; i < THREADS; i++)
		join(t[i]);
	printf("served: %d\n", served);
	close(listener);
	close(stop);
}

/* ---- One set of all ---- */

static int in_hand[1024]; /* atomic: how many threads have that descriptor's event */

static void *one_shot(void *arg)
{
	struct epoll_event got;
	char byte;
	sem_post(&here);
	for (;;) {
		check(epoll_wait(shared, &got, 1, -1) == 1);
		if (got.data.fd == stop)
			break;
		int fd = got.data.fd;
		check(__atomic_add_fetch(&in_hand[fd], 1, __ATOMIC_SEQ_CST) == 1);
		check(recv(fd, &byte, 1, 0) == 1);
		sched_yield(); /* were it armed still, another would have it too */
		__atomic_add_fetch(&messages, 1, __ATOMIC_SEQ_CST);
		check(__atomic_sub_fetch(&in_hand[fd], 1, __ATOMIC_SEQ_CST) == 0);
		check(send(fd, &byte, 1, 0) == 1);
		watch(shared, fd, EPOLLIN | EPOLLONESHOT, EPOLL_CTL_MOD);
	}
	return arg;
}

static void one_set(void)
{
	pthread_t t[THREADS];
	int fd[SOCKETS][2];
	uint64_t one = 1;
	shared = epoll_create1(0);
	stop = eventfd(0, 0);
	watch(shared, stop, EPOLLIN, EPOLL_CTL_ADD);
	for (int i = 0; i < THREADS; i++) {
		t[i] = spawn(one_shot, NULL);
		wait_for(&here);
	}
	for (int i = 0; i < SOCKETS; i++) {
		stream_pair(fd[i]);
		watch(shared, fd[i][0], EPOLLIN | EPOLLONESHOT, EPOLL_CTL_ADD);
	}
	/* More than one at a time: what is left is told of when it is armed again. */
	for (int n = 0; n < MESSAGES; n++)
		for (int i = 0; i < SOCKETS; i++)
			check(send(fd[i][1], "m", 1, 0) == 1);
	for (int i = 0; i < SOCKETS; i++) {
		char back[MESSAGES];
		read_all(fd[i][1], back, MESSAGES);
	}
	check(write(stop, &one, sizeof one) == sizeof one);
	for (int i = 0; i < THREADS; i++)
		join(t[i]);
	printf("messages: %d\n", messages);
	for (int i = 0; i < SOCKETS; i++) {
		close(fd[i][0]);
		close(fd[i][1]);
	}
	close(shared);
	close(stop);
}

int main(void)
{
	sem_init(&here, 0, 0);
	several_sets();
	one_set();
	return 0;
}
