/* epoll_pwait and epoll_pwait2: a mask for the time of the wait, handlers that end it, and times finer than milliseconds. */
#include <signal.h>
#include <sys/epoll.h>

#include "twin.h"

static int epoll, fd[2];
static sem_t here;
static volatile sig_atomic_t caught;

static void handler(int sig)
{
	caught++;
}

static void *wait_masked(void *arg)
{
	struct epoll_event event;
	sigset_t none;
	sigemptyset(&none);
	report_threads();
	sem_post(&here);
	show(epoll_pwait(epoll, &event, 1, -1, &none));
	sem_post(&here);
	show(epoll_pwait2(epoll, &event, 1, NULL, &none));
	sem_post(&here);
	/* No mask of its own: the signal stays blocked, and the event ends it. */
	show(epoll_pwait(epoll, &event, 1, -1, NULL));
	return NULL;
}

static void *wait_a_little(void *arg)
{
	struct epoll_event event;
	struct timespec little = {.tv_nsec = 300000};
	double before = now();
	show(epoll_pwait2(epoll, &event, 1, &little, NULL));
	printf("not before its time: %d\n", now() - before >= 0.0003);
	return NULL;
}

int main(void)
{
	struct epoll_event event = {.events = EPOLLIN};
	struct sigaction act = {.sa_handler = handler, .sa_flags = SA_RESTART};
	sigset_t usr1;
	sem_init(&here, 0, 0);
	stream_pair(fd);
	epoll = epoll_create1(0);
	check(epoll_ctl(epoll, EPOLL_CTL_ADD, fd[0], &event) == 0);
	check(sigaction(SIGUSR1, &act, NULL) == 0);
	sigemptyset(&usr1);
	sigaddset(&usr1, SIGUSR1);
	check(pthread_sigmask(SIG_BLOCK, &usr1, NULL) == 0);
	join(spawn(wait_a_little, NULL));
	pthread_t t = spawn(wait_masked, NULL);
	for (int i = 0; i < 2; i++) {
		wait_for(&here);
		check(pthread_kill(t, SIGUSR1) == 0);
	}
	wait_for(&here);
	check(pthread_kill(t, SIGUSR1) == 0);
	check(write(fd[1], "x", 1) == 1);
	join(t);
	printf("the handler ran %d times\n", (int)caught);
	return 0;
}
