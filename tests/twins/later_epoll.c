/* A thread parks in epoll_wait while another makes a descriptor ready. */
#include <sys/epoll.h>

#include "twin.h"

static int epoll, fd[2];
static sem_t here;

static void *wait_event(void *arg)
{
	struct epoll_event event;
	sem_post(&here);
	int n = epoll_wait(epoll, &event, 1, -1);
	printf("%d event, data %d\n", n, event.data.u32);
	return arg;
}

int main(void)
{
	struct epoll_event event = {.events = EPOLLIN, .data.u32 = 42};
	sem_init(&here, 0, 0);
	stream_pair(fd);
	epoll = epoll_create1(0);
	check(epoll >= 0 && epoll_ctl(epoll, EPOLL_CTL_ADD, fd[0], &event) == 0);
	pthread_t t = spawn(wait_event, NULL);
	wait_for(&here);
	report_threads();
	check(write(fd[1], "x", 1) == 1);
	join(t);
	return 0;
}
