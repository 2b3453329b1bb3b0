/* Descriptors of other kinds, each read by a thread that waits while another makes it readable: signalfd, timerfd, inotify; and those that
 * never wait or cannot be read: devices, /proc, memory, epoll, pidfd, fanotify. */
#include <fcntl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/fanotify.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>

#include "twin.h"

static sem_t here;

struct job {
	int fd;
	size_t size;
	char data[4096];
	ssize_t n;
};

static void *reader(void *arg)
{
	struct job *j = arg;
	sem_post(&here);
	j->n = read(j->fd, j->data, j->size);
	return NULL;
}

static pthread_t begin(struct job *j, int fd, size_t size)
{
	check(fd >= 0);
	j->fd = fd;
	j->size = size;
	pthread_t t = spawn(reader, j);
	wait_for(&here);
	return t;
}

static void signals(void)
{
	struct job j;
	struct signalfd_siginfo info;
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	pthread_t t = begin(&j, signalfd(-1, &set, 0), sizeof info);
	report_threads();
	/* To the process: all of its threads block it. */
	kill(getpid(), SIGUSR1);
	join(t);
	check(j.n == sizeof info);
	memcpy(&info, j.data, sizeof info);
	printf("signal %u\n", info.ssi_signo);
	close(j.fd);
}

static void timers(void)
{
	struct job j;
	struct itimerspec soon = {.it_value.tv_nsec = 5000000};
	uint64_t n = 0;
	int fd = timerfd_create(CLOCK_MONOTONIC, 0);
	pthread_t t = begin(&j, fd, sizeof n);
	check(timerfd_settime(fd, 0, &soon, NULL) == 0);
	join(t);
	memcpy(&n, j.data, sizeof n);
	printf("timer %zd, %d\n", j.n, (int)n);
	show(read(fd, j.data, 4));
	show(write(fd, j.data, 8));
	close(fd);
}

static void watches(void)
{
	struct job j;
	int fd = inotify_init1(0);
	check(inotify_add_watch(fd, ".", IN_CREATE) >= 0);
	pthread_t t = begin(&j, fd, sizeof j.data);
	close(open("made", O_CREAT | O_WRONLY, 0600));
	join(t);
	const struct inotify_event *event = (const void *)j.data;
	printf("inotify %s\n", j.n > 0 ? event->name : "?");
	unlink("made");
	close(fd);
}

static void at_once(const char *path, int flags, size_t size)
{
	char buf[100] = "";
	int fd = open(path, flags);
	if (fd < 0) {
		printf("%s: %s\n", path, strerrorname_np(errno));
		return;
	}
	errno = 0;
	ssize_t in = (flags & O_ACCMODE) == O_WRONLY ? 0 : read(fd, buf, size);
	int in_error = in < 0 ? errno : 0;
	errno = 0;
	ssize_t out = (flags & O_ACCMODE) == O_RDONLY ? 0 : write(fd, "x", 1);
	printf("%s: %zd %s, %zd %s\n", path, in, in_error ? strerrorname_np(in_error) : "", out,
	       out < 0 ? strerrorname_np(errno) : "");
	close(fd);
}

static void odd_ones(void)
{
	char buf[100];
	int memory = memfd_create("m", 0), epoll = epoll_create1(0), self = (int)syscall(SYS_pidfd_open, getpid(), 0);
	show(write(memory, "12345", 5));
	show(pread(memory, buf, 10, 1));
	show(read(epoll, buf, 10));
	show(write(epoll, buf, 10));
	show(read(self, buf, 10));
	close(memory);
	close(epoll);
	close(self);
	int fan = fanotify_init(FAN_CLASS_NOTIF | FAN_NONBLOCK, O_RDONLY);
	if (fan < 0)
		printf("fanotify: %s\n", strerrorname_np(errno));
	else
		show(read(fan, buf, sizeof buf));
	close(fan);
}

int main(void)
{
	sem_t go;
	sigset_t set;
	sem_init(&here, 0, 0);
	sem_init(&go, 0, 0);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	pthread_t parked = spawn(parked_until, &go);
	signals();
	timers();
	watches();
	at_once("/dev/null", O_RDWR, 10);
	at_once("/dev/zero", O_RDWR, 10);
	at_once("/dev/full", O_RDWR, 10);
	at_once("/dev/urandom", O_RDONLY, 10);
	at_once("/dev/random", O_RDONLY, 10);
	at_once("/proc/self/comm", O_RDONLY, 5);
	at_once("/proc/self/mem", O_RDONLY, 5);
	at_once("/sys/kernel/mm/transparent_hugepage/enabled", O_RDONLY, 5);
	at_once(".", O_RDONLY, 10);
	odd_ones();
	sem_post(&go);
	join(parked);
	return 0;
}
