/* A library between the program and libc makes its calls by number (calls_numbered_lib.c): each reaches the kernel, whoever calls and whether
 * or not the call may wait. The program's own syscall(2) of a number parks all the same. */
#include <sys/syscall.h>
#include <sys/uio.h>

#include "twin.h"

extern int numbered_seen;
extern long (*numbered_readv)(int fd, const struct iovec *v, int n);

static int pipes[2];
static sem_t here;

static void saw(const char *name, long n)
{
	printf("%s: %ld, seen %d\n", name, n, numbered_seen > 0);
	numbered_seen = 0;
}

/* Where a call may wait, it is ours to say how often and by which name the library is asked. */
static void got(const char *name, long n)
{
	printf("%s: %ld\n", name, n);
	numbered_seen = 0;
}

/* What the library calls by number here is called from somewhere else. */
static long by_number(int fd, const struct iovec *v, int n)
{
	return syscall(SYS_readv, fd, v, n);
}

static void on_file(void)
{
	char bytes[4] = "abc";
	struct iovec v = {bytes, 2};
	int fd = open("file", O_RDWR | O_CREAT, 0600);
	numbered_seen = 0;
	saw("write", write(fd, bytes, 3));
	saw("writev", writev(fd, &v, 1));
	check(lseek(fd, 0, SEEK_SET) == 0);
	saw("read", read(fd, bytes, 4));
	got("readv", readv(fd, &v, 1));
	int copy = dup(fd);
	saw("dup", copy > fd);
	saw("close", close(copy));
	close(fd);
	unlink("file");
}

static void on_sockets(int type)
{
	void (*say)(const char *, long) = type & SOCK_NONBLOCK ? saw : got;
	char bytes[4] = "abc";
	struct iovec v = {bytes, 1};
	struct msghdr msg = {.msg_iov = &v, .msg_iovlen = 1};
	struct sockaddr_in address;
	int fd[2], listener = tcp_listener(&address), one = socket(AF_INET, SOCK_STREAM, 0);
	numbered_seen = 0;
	check(socketpair(AF_UNIX, SOCK_STREAM | type, 0, fd) == 0);
	say("socketpair", 0);
	say("write", write(fd[0], bytes, 3));
	say("sendmsg", sendmsg(fd[0], &msg, 0));
	say("read", read(fd[1], bytes, 1));
	say("recvmsg", recvmsg(fd[1], &msg, 0));
	say("connect", connect(one, (struct sockaddr *)&address, sizeof address));
	int conn = accept4(listener, NULL, NULL, type);
	say("accept4", conn >= 0);
	close(conn);
	close(one);
	close(listener);
	close(fd[0]);
	close(fd[1]);
	numbered_seen = 0;
}

static void *others(void *arg)
{
	until_reported();
	on_file();
	on_sockets(SOCK_NONBLOCK);
	on_sockets(0);
	got("nanosleep", nanosleep(&(struct timespec){.tv_nsec = 1000}, NULL));
	got("gettid", gettid() != getpid());
	return arg;
}

static void *wait_by_number(void *arg)
{
	char c = 0;
	sem_post(&here);
	check(syscall(SYS_read, pipes[0], &c, 1) == 1);
	return (void *)(long)c;
}

int main(void)
{
	sem_init(&here, 0, 0);
	check(pipe(pipes) == 0);
	numbered_readv = by_number;
	puts("before there is a thread");
	on_file();
	pthread_t t = spawn(others, NULL), waiter = spawn(wait_by_number, NULL);
	wait_for(&here);
	report_threads();
	join(t);
	puts("main");
	on_file();
	on_sockets(0);
	saw("gettid", gettid() == getpid());
	check(syscall(SYS_write, pipes[1], "x", 1) == 1);
	printf("by number: %c\n", (char)(long)join(waiter));
	puts("alone again");
	on_file();
	on_sockets(SOCK_NONBLOCK);
	return 0;
}
