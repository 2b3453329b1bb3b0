/* twin.h: the few helpers of the twin fixtures.
 *
 * A fixture is a plain POSIX program that knows nothing of what is preloaded. What it prints must be the same in
 * every run. Where it matters that a thread is blocked, the thread posts a semaphore just before the call; nothing
 * sleeps in the hope that something has happened meanwhile. */
#ifndef TWIN_H
#define TWIN_H

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* A fixture whose own check fails ends with this status; run.py never takes it for agreement. */
#define TWIN_CHECK_FAILED 99

#define check(condition)                                                                                               \
	do {                                                                                                           \
		if (!(condition)) {                                                                                    \
			fprintf(stderr, "%s:%d: not so: %s (errno %d)\n", __FILE__, __LINE__, #condition, errno);      \
			fflush(NULL);                                                                                  \
			_exit(TWIN_CHECK_FAILED);                                                                      \
		}                                                                                                      \
	} while (0)

/* Prints what a call of the -1/errno kind gave. */
#define show(call)                                                                                                     \
	do {                                                                                                           \
		errno = 0;                                                                                             \
		long shown = (long)(call);                                                                             \
		int shown_errno = errno;                                                                               \
		printf("%s = %ld %s\n", #call, shown, shown == -1 ? strerrorname_np(shown_errno) : "");                \
	} while (0)

/* Prints what a call that returns its error number gave. */
#define show_error(call)                                                                                               \
	do {                                                                                                           \
		int shown = (call);                                                                                    \
		printf("%s: %s\n", #call, shown ? strerrorname_np(shown) : "0");                                       \
	} while (0)

/* How many threads this process has for the kernel. */
static inline int os_threads(void)
{
	char line[256];
	int n = -1;
	FILE *f = fopen("/proc/self/status", "r");
	check(f != NULL);
	while (fgets(line, sizeof line, f))
		if (sscanf(line, "Threads: %d", &n) == 1)
			break;
	fclose(f);
	return n;
}

/* What the threads of a fixture have said to one another. */
static struct {
	bool reported;
	int waiting;
} fixture __attribute__((unused));

/* For run.py --one-thread. To be called while all threads of the fixture live. */
static inline void report_threads(void)
{
	fprintf(stderr, "os-threads %d\n", os_threads());
	__atomic_store_n(&fixture.reported, true, __ATOMIC_SEQ_CST);
}

/* For a thread that would end by itself, perhaps before main has counted it. */
static inline void until_reported(void)
{
	while (!__atomic_load_n(&fixture.reported, __ATOMIC_SEQ_CST))
		usleep(1000);
}

/* In each of n threads: they wait at the same time, whatever else the machine does. Each waits again until all have begun to, and have been counted;
 * where the wait of one held the others up, it would never end. */
#define together(n, wait)                                                                                              \
	do {                                                                                                           \
		__atomic_add_fetch(&fixture.waiting, 1, __ATOMIC_SEQ_CST);                                             \
		do                                                                                                     \
			check(wait);                                                                                   \
		while (__atomic_load_n(&fixture.waiting, __ATOMIC_SEQ_CST) < (n) || !fixture.reported);                \
	} while (0)

static inline pthread_t spawn(void *(*entry)(void *), void *arg)
{
	pthread_t t;
	check(pthread_create(&t, NULL, entry, arg) == 0);
	return t;
}

static inline void *join(pthread_t t)
{
	void *value;
	check(pthread_join(t, &value) == 0);
	return value;
}

static inline void wait_for(sem_t *s)
{
	while (sem_wait(s) < 0)
		check(errno == EINTR);
}

/* A thread that is there until the semaphore is posted. */
static inline void *parked_until(void *posted)
{
	wait_for((sem_t *)posted);
	return NULL;
}

/* A thread that lets the others go first, again and again: whoever waits meanwhile, it gets on. */
static struct {
	pthread_t thread;
	bool ends;
} company __attribute__((unused));

static inline void *run_beside(void *arg)
{
	while (!__atomic_load_n(&company.ends, __ATOMIC_SEQ_CST))
		sched_yield();
	return arg;
}

static inline void beside_begin(void)
{
	company.ends = false;
	company.thread = spawn(run_beside, NULL);
}

static inline void beside_end(void)
{
	__atomic_store_n(&company.ends, true, __ATOMIC_SEQ_CST);
	join(company.thread);
}

static inline double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* The time `seconds` from now on that clock. */
static inline struct timespec after(clockid_t clock, double seconds)
{
	struct timespec t;
	clock_gettime(clock, &t);
	long nsec = t.tv_nsec + (long)((seconds - (double)(long)seconds) * 1e9);
	t.tv_sec += (long)seconds + nsec / 1000000000;
	t.tv_nsec = nsec % 1000000000;
	return t;
}

static inline void write_all(int fd, const void *data, size_t n)
{
	const char *p = (const char *)data;
	while (n > 0) {
		ssize_t done = write(fd, p, n);
		check(done > 0);
		p += done;
		n -= (size_t)done;
	}
}

static inline void read_all(int fd, void *data, size_t n)
{
	char *p = (char *)data;
	while (n > 0) {
		ssize_t done = read(fd, p, n);
		check(done > 0);
		p += done;
		n -= (size_t)done;
	}
}

static inline void stream_pair(int fd[2])
{
	check(socketpair(AF_UNIX, SOCK_STREAM, 0, fd) == 0);
}

/* A socket of that type bound to a free port of 127.0.0.1; *address receives where. */
static inline int bound(int type, struct sockaddr_in *address)
{
	socklen_t size = sizeof *address;
	int fd = socket(AF_INET, type, 0);
	check(fd >= 0);
	memset(address, 0, sizeof *address);
	address->sin_family = AF_INET;
	address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	check(bind(fd, (struct sockaddr *)address, sizeof *address) == 0);
	check(getsockname(fd, (struct sockaddr *)address, &size) == 0);
	return fd;
}

static inline int tcp_listener(struct sockaddr_in *address)
{
	int fd = bound(SOCK_STREAM, address);
	check(listen(fd, 1024) == 0);
	return fd;
}

static inline int tcp_dial(const struct sockaddr_in *address)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	check(fd >= 0);
	check(connect(fd, (const struct sockaddr *)address, sizeof *address) == 0);
	return fd;
}

/* Both ends of a TCP connection over loopback. */
static inline void tcp_pair(int fd[2])
{
	struct sockaddr_in address;
	int listening = tcp_listener(&address);
	fd[0] = tcp_dial(&address);
	fd[1] = accept(listening, NULL, NULL);
	check(fd[1] >= 0);
	close(listening);
}

#endif
