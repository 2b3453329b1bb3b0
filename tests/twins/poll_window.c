/* A signal that the thread blocks but in the call ends the call whenever it comes: before it, while libc is at work for it, while it waits. ppoll,
 * pselect, epoll_pwait, sigsuspend, each very often, with an alarm that is a little later each time. */
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/time.h>

#include "twin.h"

enum { ROUNDS = 400 };

static volatile sig_atomic_t caught;
static int unready, set;
static sigset_t open_mask;

static void handler(int sig)
{
	caught++;
}

static void alarm_after(int microseconds)
{
	struct itimerval t = {.it_value = {.tv_usec = microseconds}};
	check(setitimer(ITIMER_REAL, &t, NULL) == 0);
}

/* Longer than any machine takes: the signal came, and the call did not end. */
static const struct timespec never = {.tv_sec = 100};

static int by_ppoll(void)
{
	struct pollfd p = {.fd = unready, .events = POLLIN};
	return ppoll(&p, 1, &never, &open_mask);
}

static int by_pselect(void)
{
	fd_set in;
	FD_ZERO(&in);
	FD_SET(unready, &in);
	return pselect(unready + 1, &in, NULL, NULL, &never, &open_mask);
}

static int by_epoll(void)
{
	struct epoll_event event;
	return epoll_pwait(set, &event, 1, 100000, &open_mask);
}

static int by_sigsuspend(void)
{
	return sigsuspend(&open_mask);
}

static void very_often(const char *name, int (*wait)(void))
{
	int ended = 0;
	caught = 0;
	for (int i = 0; i < ROUNDS; i++) {
		alarm_after(1 + i % 100);
		ended += wait() == -1 && errno == EINTR;
	}
	printf("%s: %d alarms ended %d waits\n", name, (int)caught, ended);
	fflush(stdout);
}

int main(void)
{
	sigset_t blocked;
	struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
	struct epoll_event event = {.events = EPOLLIN};
	sem_t go;
	int fd[2];
	sem_init(&go, 0, 0);
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGALRM);
	check(pthread_sigmask(SIG_BLOCK, &blocked, &open_mask) == 0);
	check(sigaction(SIGALRM, &action, NULL) == 0);
	pthread_t t = spawn(parked_until, &go);
	report_threads();

	check(pipe(fd) == 0);
	unready = fd[0];
	set = epoll_create1(0);
	check(set >= 0 && epoll_ctl(set, EPOLL_CTL_ADD, unready, &event) == 0);
	very_often("ppoll", by_ppoll);
	very_often("pselect", by_pselect);
	very_often("epoll_pwait", by_epoll);
	very_often("sigsuspend", by_sigsuspend);

	sem_post(&go);
	join(t);
	return 0;
}
