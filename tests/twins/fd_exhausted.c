/* No descriptor is to be had, and everything that waits still does: for bytes, for what poll is asked, for a child, a signal, a lock, a time. */
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/wait.h>

#include "twin.h"

static sem_t here;
static int pair[2], locked[2], epoll, told[2];
static pid_t pid;
static sigset_t set;

static void *by_read(void *arg)
{
	sem_post(&here);
	return (void *)(long)read(pair[0], &(char){0}, 1);
}

static void *by_poll(void *arg)
{
	struct pollfd p = {.fd = pair[0], .events = (short)(long)arg};
	sem_post(&here);
	int r = poll(&p, 1, -1);
	check(read(pair[0], &(char){0}, 1) == 1);
	return (void *)(long)r;
}

static void *by_select(void *arg)
{
	fd_set in, odd;
	FD_ZERO(&in);
	FD_ZERO(&odd);
	FD_SET(pair[0], &in);
	FD_SET(pair[0], &odd);
	sem_post(&here);
	int r = select(pair[0] + 1, &in, NULL, &odd, NULL);
	check(read(pair[0], &(char){0}, 1) == 1);
	return (void *)(long)r;
}

static void *by_epoll(void *arg)
{
	struct epoll_event event;
	sem_post(&here);
	int r = epoll_wait(epoll, &event, 1, -1);
	check(read(pair[0], &(char){0}, 1) == 1);
	return (void *)(long)r;
}

static void *by_wait(void *arg)
{
	int status;
	sem_post(&here);
	check(waitpid(arg ? -1 : pid, &status, 0) == pid);
	return (void *)(long)WEXITSTATUS(status);
}

static void *by_sigwait(void *arg)
{
	int sig = 0;
	sem_post(&here);
	check(sigwait(&set, &sig) == 0);
	return (void *)(long)sig;
}

static void *by_flock(void *arg)
{
	sem_post(&here);
	return (void *)(long)flock(locked[1], LOCK_EX);
}

static void poke(void)
{
	check(write(pair[1], "x", 1) == 1);
}

static void unlock(void)
{
	check(flock(locked[0], LOCK_UN) == 0);
}

static void end_child(void)
{
	check(write(told[1], "x", 1) == 1);
}

static void signal_us(void)
{
	kill(getpid(), SIGUSR1);
}

static void with(const char *what, void *(*how)(void *), void *arg, void (*end)(void))
{
	pthread_t t = spawn(how, arg);
	wait_for(&here);
	usleep(1000);
	end();
	printf("%s: %ld\n", what, (long)join(t));
}

static void begin_child(void)
{
	pid = fork();
	check(pid >= 0);
	if (pid == 0)
		_exit(read(told[0], &(char){0}, 1) == 1 ? 4 : 1);
}

int main(void)
{
	sem_t go;
	struct rlimit limit;
	struct epoll_event event = {.events = EPOLLIN};
	sem_init(&here, 0, 0);
	sem_init(&go, 0, 0);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	pthread_t parked = spawn(parked_until, &go);
	report_threads();
	stream_pair(pair);
	stream_pair(told);
	epoll = epoll_create1(0);
	check(epoll_ctl(epoll, EPOLL_CTL_ADD, pair[0], &event) == 0);
	for (int i = 0; i < 2; i++)
		locked[i] = open("file", O_RDWR | O_CREAT, 0600);
	check(flock(locked[0], LOCK_EX) == 0);
	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = (rlim_t)locked[1] + 4;
	check(setrlimit(RLIMIT_NOFILE, &limit) == 0);
	while (dup(0) >= 0)
		;
	printf("no more: %s\n", strerrorname_np(errno));

	with("read", by_read, NULL, poke);
	with("poll", by_poll, (void *)POLLIN, poke);
	with("poll for more", by_poll, (void *)(POLLIN | POLLPRI | POLLRDHUP), poke);
	with("select", by_select, NULL, poke);
	with("epoll_wait", by_epoll, NULL, poke);
	begin_child();
	with("waitpid", by_wait, NULL, end_child);
	begin_child();
	with("wait for any", by_wait, (void *)1, end_child);
	with("sigwait", by_sigwait, NULL, signal_us);
	with("flock", by_flock, NULL, unlock);
	show(open("file", O_RDONLY));
	show(socket(AF_INET, SOCK_STREAM, 0));
	unlink("file");
	sem_post(&go);
	join(parked);
	return 0;
}
