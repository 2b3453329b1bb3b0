/* Threads park in epoll_wait while another makes descriptors ready: for ever, for a time, several on one epoll descriptor, on a nested one, and
 * on one that is closed under them. */
#include <sys/epoll.h>

#include "twin.h"

static int epoll, fd[2];
static sem_t here;

static void watch(int on, int what, uint32_t events, uint32_t data)
{
	struct epoll_event event = {.events = events, .data.u32 = data};
	check(epoll_ctl(on, EPOLL_CTL_ADD, what, &event) == 0);
}

static void *wait_event(void *arg)
{
	struct epoll_event event;
	sem_post(&here);
	int n = epoll_wait(*(int *)arg, &event, 1, -1);
	return (void *)(long)(n == 1 ? (long)event.data.u32 : -1);
}

static void one_waiter(void)
{
	pthread_t t = spawn(wait_event, &epoll);
	wait_for(&here);
	report_threads();
	check(write(fd[1], "x", 1) == 1);
	printf("woken with %ld\n", (long)join(t));
}

static void times(void)
{
	struct epoll_event event;
	char byte;
	check(read(fd[0], &byte, 1) == 1);
	double before = now();
	show(epoll_wait(epoll, &event, 1, 0));
	show(epoll_wait(epoll, &event, 1, 30));
	double took = now() - before;
	printf("not before its time: %d\n", took >= 0.030);
}

static void several(void)
{
	enum { N = 4 };
	pthread_t t[N];
	long sum = 0;
	/* One-shot: each event is for one of them. */
	int pair[N][2], one = epoll_create1(0);
	for (int i = 0; i < N; i++) {
		stream_pair(pair[i]);
		watch(one, pair[i][0], EPOLLIN | EPOLLONESHOT, 1U << i);
		t[i] = spawn(wait_event, &one);
		wait_for(&here);
	}
	for (int i = 0; i < N; i++)
		check(write(pair[i][1], "x", 1) == 1);
	for (int i = 0; i < N; i++)
		sum += (long)join(t[i]);
	printf("each event once: %ld\n", sum);
}

static void nested(void)
{
	int outer = epoll_create1(0);
	watch(outer, epoll, EPOLLIN, 7);
	pthread_t t = spawn(wait_event, &outer);
	wait_for(&here);
	check(write(fd[1], "x", 1) == 1);
	printf("nested: %ld\n", (long)join(t));
	check(close(outer) == 0);
}

/* Deeper than the runtime's own epoll descriptor can watch. */
static void deep(void)
{
	int level[4], inner = epoll;
	for (int i = 0; i < 4; i++) {
		level[i] = epoll_create1(0);
		watch(level[i], inner, EPOLLIN, 10U + (uint32_t)i);
		inner = level[i];
	}
	pthread_t t = spawn(wait_event, &level[3]);
	wait_for(&here);
	check(write(fd[1], "x", 1) == 1);
	printf("deep: %ld\n", (long)join(t));
}

int main(void)
{
	sem_init(&here, 0, 0);
	stream_pair(fd);
	epoll = epoll_create1(0);
	watch(epoll, fd[0], EPOLLIN, 42);
	one_waiter();
	times();
	several();
	nested();
	char byte;
	check(read(fd[0], &byte, 1) == 1);
	deep();
	return 0;
}
