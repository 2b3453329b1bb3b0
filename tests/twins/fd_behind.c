/* Numbers that somebody closes past all of libc's functions (a library of another language, an instruction of the program's own) while they are
 * known and watched: what is opened next under the number is waited for as itself, by whatever call it was made and however it is waited for. */
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>

#include "twin.h"

static long kernel_close(long fd)
{
#if defined(__x86_64__)
	long result;
	__asm__ volatile("syscall" : "=a"(result) : "0"(SYS_close), "D"(fd) : "rcx", "r11", "memory");
	return result;
#else
	register long x8 __asm__("x8") = SYS_close;
	register long x0 __asm__("x0") = fd;
	__asm__ volatile("svc 0" : "+r"(x0) : "r"(x8) : "memory");
	return x0;
#endif
}

static sem_t here;

/* ---- Ways to wait for a byte ---- */

static void by_read(int fd)
{
}

static void by_recv(int fd)
{
	char c;
	check(recv(fd, &c, 1, MSG_PEEK) == 1);
}

static void by_poll(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	check(poll(&p, 1, -1) == 1 && p.revents == POLLIN);
}

static void by_odd_poll(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN | POLLPRI};
	check(poll(&p, 1, -1) == 1 && p.revents == POLLIN);
}

static void by_both(int fd)
{
	struct pollfd p[2] = {{.fd = fd, .events = POLLIN}, {.fd = fd, .events = POLLIN | POLLRDHUP}};
	check(poll(p, 2, -1) == 2);
}

static void by_select(int fd)
{
	fd_set in, odd;
	FD_ZERO(&in);
	FD_ZERO(&odd);
	FD_SET(fd, &in);
	FD_SET(fd, &odd);
	check(select(fd + 1, &in, NULL, &odd, NULL) == 1);
}

static const struct {
	const char *name;
	void (*wait)(int fd);
	bool sockets;
} waits[] = {
	{"read", by_read, false},       {"recv", by_recv, true},
	{"poll", by_poll, false},       {"poll for more", by_odd_poll, false},
	{"poll twice", by_both, false}, {"select", by_select, false},
};

struct job {
	int fd;
	size_t way;
};

static void *wait_and_read(void *arg)
{
	struct job *job = arg;
	uint64_t bytes = 0; /* what an eventfd wants; a stream has one byte */
	sem_post(&here);
	waits[job->way].wait(job->fd);
	check(read(job->fd, &bytes, sizeof bytes) > 0);
	return NULL;
}

static void one_wait(int fd, int other, size_t way)
{
	struct job job = {fd, way};
	uint64_t one = 1;
	pthread_t t = spawn(wait_and_read, &job);
	wait_for(&here);
	check(write(other, &one, sizeof one) == sizeof one);
	join(t);
}

/* ---- Ways to get the number again: the end that is waited for, and the one that is written to ---- */

static void pair_again(int fd[2])
{
	stream_pair(fd);
}

static void pipe_again(int fd[2])
{
	check(pipe(fd) == 0);
}

static void counter_again(int fd[2])
{
	fd[0] = fd[1] = eventfd(0, 0);
}

static void dup_again(int fd[2])
{
	static int kept[2];
	if (kept[1] == 0) {
		stream_pair(kept);
		check(dup2(kept[0], 300) == 300 && dup2(kept[1], 301) == 301);
		close(kept[0]);
		close(kept[1]);
	}
	fd[0] = dup(300);
	fd[1] = dup(301);
}

static void accept_again(int fd[2])
{
	static struct sockaddr_in address;
	static int listener = -1, dialled = -1;
	if (listener < 0) {
		listener = dup2(tcp_listener(&address), 302);
		check(listener == 302);
	}
	int dialling = socket(AF_INET, SOCK_STREAM, 0);
	check(connect(dialling, (struct sockaddr *)&address, sizeof address) == 0);
	dialled = dup2(dialling, 303);
	close(dialling);
	fd[0] = accept(listener, NULL, NULL);
	fd[1] = dup(dialled);
}

static void open_again(int fd[2])
{
	fd[0] = open("fifo", O_RDWR);
	fd[1] = dup(fd[0]);
}

static const struct {
	const char *name;
	void (*make)(int fd[2]);
	bool sockets;
} makers[] = {
	{"socketpair", pair_again, true}, {"pipe", pipe_again, false},    {"eventfd", counter_again, false},
	{"dup", dup_again, true},         {"accept", accept_again, true}, {"open", open_again, false},
};

/* ---- Descriptors that are not written to: what makes them readable ---- */

static int counter;

static int make_epoll(void)
{
	int fd = epoll_create(1);
	struct epoll_event e = {.events = EPOLLIN};
	check(epoll_ctl(fd, EPOLL_CTL_ADD, counter, &e) == 0);
	return fd;
}

static int make_epoll1(void)
{
	int fd = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event e = {.events = EPOLLIN};
	check(epoll_ctl(fd, EPOLL_CTL_ADD, counter, &e) == 0);
	return fd;
}

static void count(int fd)
{
	uint64_t one = 1;
	check(write(counter, &one, sizeof one) == sizeof one);
}

static int make_timer(void)
{
	return timerfd_create(CLOCK_MONOTONIC, 0);
}

static void expire(int fd)
{
	struct itimerspec soon = {.it_value.tv_nsec = 1};
	check(timerfd_settime(fd, 0, &soon, NULL) == 0);
}

static int make_signals(void)
{
	sigset_t one;
	sigemptyset(&one);
	sigaddset(&one, SIGUSR2);
	return signalfd(-1, &one, 0);
}

static void send_signal(int fd)
{
	check(kill(getpid(), SIGUSR2) == 0);
}

static int make_watch(void)
{
	int fd = inotify_init();
	check(inotify_add_watch(fd, ".", IN_CREATE) >= 0);
	return fd;
}

static int make_watch1(void)
{
	int fd = inotify_init1(IN_CLOEXEC);
	check(inotify_add_watch(fd, ".", IN_CREATE) >= 0);
	return fd;
}

static void create(int fd)
{
	check(mknod("seen", S_IFREG | 0600, 0) == 0 && unlink("seen") == 0);
}

static int make_memory(void)
{
	int fd = memfd_create("bytes", 0);
	check(pwrite(fd, "bytes", 5, 0) == 5);
	return fd;
}

static void nothing(int fd)
{
}

static int make_terminal(void)
{
	return posix_openpt(O_RDWR | O_NOCTTY);
}

static void type(int fd)
{
	check(grantpt(fd) == 0 && unlockpt(fd) == 0);
	int slave = open(ptsname(fd), O_RDWR | O_NOCTTY);
	check(slave >= 0 && write(slave, "t", 1) == 1);
}

static const struct {
	const char *name;
	int (*make)(void);
	void (*kick)(int fd);
	bool reads;
} others[] = {
	{"epoll_create", make_epoll, count, false},   {"epoll_create1", make_epoll1, count, false},
	{"timerfd_create", make_timer, expire, true}, {"signalfd", make_signals, send_signal, true},
	{"inotify_init", make_watch, create, true},   {"inotify_init1", make_watch1, create, true},
	{"memfd_create", make_memory, nothing, true}, {"posix_openpt", make_terminal, type, true},
};

static void *poll_or_read(void *arg)
{
	const struct job *job = arg;
	char bytes[512];
	struct pollfd p = {.fd = job->fd, .events = POLLIN};
	sem_post(&here);
	if (job->way)
		check(read(job->fd, bytes, sizeof bytes) > 0);
	else
		check(poll(&p, 1, -1) == 1 && p.revents == POLLIN);
	return NULL;
}

static void other(size_t i, size_t way)
{
	int fd[2];
	stream_pair(fd);
	one_wait(fd[0], fd[1], 0);
	check(kernel_close(fd[0]) == 0);
	struct job job = {others[i].make(), way};
	check(job.fd == fd[0]);
	pthread_t t = spawn(poll_or_read, &job);
	wait_for(&here);
	others[i].kick(job.fd);
	join(t);
	printf("read, then %s, %s\n", others[i].name, way ? "read" : "poll");
	fflush(stdout);
	close(job.fd);
	close(fd[1]);
}

static void all_others(void)
{
	sigset_t one;
	uint64_t n;
	sigemptyset(&one);
	sigaddset(&one, SIGUSR2);
	counter = eventfd(0, 0);
	for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
		other(i, 0);
		if (others[i].reads)
			other(i, 1);
		if (others[i].kick == count)
			check(read(counter, &n, sizeof n) == sizeof n);
		if (others[i].kick == send_signal) {
			struct timespec none = {0};
			sigtimedwait(&one, NULL, &none);
		}
	}
	close(counter);
}

int main(void)
{
	sigset_t usr2;
	sigemptyset(&usr2);
	sigaddset(&usr2, SIGUSR2);
	pthread_sigmask(SIG_BLOCK, &usr2, NULL); /* all threads, for the signalfd */

	enum { MAKERS = sizeof makers / sizeof *makers, WAYS = sizeof waits / sizeof *waits };
	sem_t go;
	int fd[2], again[2];
	sem_init(&here, 0, 0);
	sem_init(&go, 0, 0);
	pthread_t parked = spawn(parked_until, &go);
	check(mkfifo("fifo", 0600) == 0);
	for (size_t i = 0; i < MAKERS; i++)
		makers[i].make(again); /* what they keep, they have */
	report_threads();
	for (size_t way = 0; way < WAYS; way++)
		for (size_t i = 0; i < MAKERS; i++) {
			if (waits[way].sockets && !makers[i].sockets)
				continue;
			stream_pair(fd);
			one_wait(fd[0], fd[1], way); /* now it is watched */
			check(kernel_close(fd[0]) == 0);
			check(kernel_close(fd[1]) == 0);
			makers[i].make(again);
			check(again[0] == fd[0] || again[1] == fd[0]);
			one_wait(again[0], again[1], way);
			printf("%s, then %s\n", waits[way].name, makers[i].name);
			fflush(stdout);
			close(again[0]);
			if (again[1] != again[0])
				close(again[1]);
		}
	all_others();
	sem_post(&go);
	join(parked);
	check(unlink("fifo") == 0);
	return 0;
}
