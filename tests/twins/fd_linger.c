/* SO_LINGER with a time: whoever closes such a socket waits until its peer has what was sent, by whichever call; the others go on, and the number is
 * free. It ends with the peer's reading, with the time, or with a handler. */
#include "twin.h"

#include <netinet/tcp.h>
#include <signal.h>
#include <sys/stat.h>

enum { LONG = 60 };

/* The kernel doubles both (socket(7)). What fills a sender's is always more than its peer's can hold. */
enum { RECEIVE = 32768, SEND = 212992 };

static sem_t here, gone;

struct closing {
	int fd, peer;
	void (*close)(int fd);
	size_t sent;
	bool done; /* atomic */
};

/* ---- A socket that has more to send than its peer will take ---- */

static void linger(int fd, int seconds)
{
	struct linger wish = {.l_onoff = 1, .l_linger = seconds};
	check(setsockopt(fd, SOL_SOCKET, SO_LINGER, &wish, sizeof wish) == 0);
}

static size_t fill(int fd)
{
	static const char block[65536];
	size_t sent = 0;
	for (;;) {
		ssize_t n = send(fd, block, sizeof block, MSG_DONTWAIT);
		if (n < 0 && errno == EAGAIN)
			return sent;
		check(n > 0);
		sent += (size_t)n;
	}
}

static size_t drain(int fd)
{
	static char block[65536];
	size_t got = 0;
	ssize_t n;
	while ((n = read(fd, block, sizeof block)) > 0)
		got += (size_t)n;
	check(n == 0);
	return got;
}

/* Under the lowest free number. */
static int lowest(int fd)
{
	int low = dup(fd);
	check(low >= 0 && close(fd) == 0);
	return low;
}

static void filled(struct closing *c, int seconds, void (*how)(int fd))
{
	int fd[2], less = RECEIVE, more = SEND;
	struct sockaddr_in address;
	int listening = bound(SOCK_STREAM, &address);
	check(setsockopt(listening, SOL_SOCKET, SO_RCVBUF, &less, sizeof less) == 0);
	check(listen(listening, 1) == 0);
	fd[0] = tcp_dial(&address);
	fd[1] = accept(listening, NULL, NULL);
	check(fd[1] >= 0 && close(listening) == 0);
	check(setsockopt(fd[0], SOL_SOCKET, SO_SNDBUF, &more, sizeof more) == 0);
	linger(fd[0], seconds);
	*c = (struct closing){.fd = lowest(fd[0]), .peer = fd[1], .close = how};
	c->sent = fill(c->fd);
	check(c->sent > 2 * RECEIVE);
}

/* ---- How it is closed ---- */

static void by_close(int fd)
{
	errno = 0;
	check(close(fd) == 0 && errno == 0);
}

static void by_close_range(int fd)
{
	check(close_range((unsigned)fd, (unsigned)fd, 0) == 0);
}

static void by_dup2(int fd)
{
	check(dup2(0, fd) == fd);
}

static void by_dup3(int fd)
{
	check(dup3(0, fd, O_CLOEXEC) == fd);
}

static void by_fclose(int fd)
{
	FILE *f = fdopen(fd, "r+");
	check(f && fclose(f) == 0);
}

/* What the tables of streams close by; libc exports it, and no header has it. */
int _IO_file_close(FILE *f);

static void by_file_close(int fd)
{
	FILE *f = fdopen(fd, "r+");
	check(f && _IO_file_close(f) == 0);
}

static void by_closefrom(int fd)
{
	closefrom(fd);
}

static void *closer(void *arg)
{
	struct closing *c = arg;
	sem_post(&here);
	c->close(c->fd);
	__atomic_store_n(&c->done, true, __ATOMIC_SEQ_CST);
	return arg;
}

/* Whether the number stands for that socket no longer. */
static bool has_gone(int fd)
{
	struct stat st;
	return fstat(fd, &st) < 0 || !S_ISSOCK(st.st_mode);
}

static pthread_t begin(struct closing *c)
{
	pthread_t t = spawn(closer, c);
	wait_for(&here);
	while (!has_gone(c->fd))
		sched_yield();
	return t;
}

static bool is_done(struct closing *c)
{
	return __atomic_load_n(&c->done, __ATOMIC_SEQ_CST);
}

static void *reader(void *arg)
{
	char byte;
	sem_post(&here);
	check(read(*(int *)arg, &byte, 1) == 1);
	return NULL;
}

/* The number is somebody else's now, who waits for it. */
static void use_number(int fd)
{
	int ends[2];
	check(pipe(ends) == 0);
	printf("given out again: %d\n", ends[0] == fd);
	pthread_t t = spawn(reader, &ends[0]);
	wait_for(&here);
	check(write(ends[1], "x", 1) == 1);
	join(t);
	check(close(ends[0]) == 0 && close(ends[1]) == 0);
}

static void end(struct closing *c, pthread_t t)
{
	printf("waits: %d\n", !is_done(c));
	size_t got = drain(c->peer);
	join(t);
	printf("all of it came: %d\n", got == c->sent);
	check(close(c->peer) == 0);
}

/* ---- The cases ---- */

static void closes(const char *name, void (*how)(int fd))
{
	struct closing c;
	puts(name);
	filled(&c, LONG, how);
	pthread_t t = begin(&c);
	if (how == by_dup2 || how == by_dup3)
		check(close(c.fd) == 0);
	else if (how != by_closefrom)
		use_number(c.fd);
	end(&c, t);
}

static void *drains(void *arg)
{
	struct closing *c = arg;
	printf("all of one came: %d\n", drain(c->peer) == c->sent);
	return arg;
}

/* As high as nothing else of this program. */
static void closes_above(void)
{
	enum { HIGH = 300 };
	struct closing c, d;
	puts("closefrom");
	filled(&c, LONG, by_closefrom);
	filled(&d, LONG, by_closefrom);
	check(dup2(c.fd, HIGH) == HIGH && close(c.fd) == 0 && dup2(d.fd, HIGH + 1) == HIGH + 1 && close(d.fd) == 0);
	c.fd = HIGH;
	pthread_t t = begin(&c);
	while (!has_gone(HIGH + 1))
		sched_yield();
	printf("waits: %d\n", !is_done(&c));
	/* In which order they are waited for is the kernel's matter. */
	pthread_t other = spawn(drains, &d);
	drains(&c);
	join(other);
	join(t);
	check(close(c.peer) == 0 && close(d.peer) == 0);
}

/* accept(2) gives the listener's wish to what it accepts. */
static void closes_accepted(void)
{
	struct sockaddr_in address;
	int less = RECEIVE, more = SEND, listening = bound(SOCK_STREAM, &address);
	puts("accepted, and not to block");
	linger(listening, LONG);
	check(listen(listening, 1) == 0);
	struct closing c = {.close = by_close};
	c.peer = socket(AF_INET, SOCK_STREAM, 0);
	check(setsockopt(c.peer, SOL_SOCKET, SO_RCVBUF, &less, sizeof less) == 0);
	check(connect(c.peer, (struct sockaddr *)&address, sizeof address) == 0);
	c.fd = accept4(listening, NULL, NULL, SOCK_NONBLOCK);
	check(c.fd >= 0 && close(listening) == 0);
	check(setsockopt(c.fd, SOL_SOCKET, SO_SNDBUF, &more, sizeof more) == 0);
	c.sent = fill(c.fd);
	check(c.sent > 2 * RECEIVE);
	end(&c, begin(&c));
}

/* Not the last number of it: there is nothing to wait for. Nor is there in other sockets. */
static void closes_at_once(void)
{
	struct closing c;
	int unix_fd[2];
	struct sockaddr_in address;
	puts("at once");
	filled(&c, LONG, by_close);
	int copy = dup(c.fd);
	show(close(copy));
	pthread_t t = begin(&c);
	end(&c, t);
	stream_pair(unix_fd);
	linger(unix_fd[0], LONG);
	fill(unix_fd[0]);
	show(close(unix_fd[0]));
	close(unix_fd[1]);
	int datagrams = bound(SOCK_DGRAM, &address);
	linger(datagrams, LONG);
	show(close(datagrams));
	filled(&c, LONG, by_close);
	struct linger no = {0};
	check(setsockopt(c.fd, SOL_SOCKET, SO_LINGER, &no, sizeof no) == 0);
	show(close(c.fd));
	printf("all of it came: %d\n", drain(c.peer) == c.sent);
	close(c.peer);
}

static void on_signal(int sig)
{
	sem_post(&gone);
}

/* A handler ends the wait, and not what was sent. */
static void ends_by_handler(void)
{
	struct closing c;
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
	puts("a handler");
	check(sigaction(SIGUSR1, &action, NULL) == 0);
	filled(&c, LONG, by_close);
	pthread_t t = begin(&c);
	printf("waits: %d\n", !is_done(&c));
	check(pthread_kill(t, SIGUSR1) == 0);
	join(t);
	wait_for(&gone);
	printf("all of it came: %d\n", drain(c.peer) == c.sent);
	close(c.peer);
}

static void *cancelled(void *arg)
{
	closer(arg);
	pthread_testcancel(); /* libcs differ in whether a close that has been made is one */
	return NULL;
}

static void ends_by_cancellation(void)
{
	struct closing c;
	puts("a cancellation");
	filled(&c, LONG, by_close);
	pthread_t t = spawn(cancelled, &c);
	wait_for(&here);
	while (!has_gone(c.fd))
		sched_yield();
	check(pthread_cancel(t) == 0);
	printf("cancelled: %d\n", join(t) == PTHREAD_CANCELED);
	printf("all of it came: %d\n", drain(c.peer) == c.sent);
	close(c.peer);
}

static void ends_with_the_time(void)
{
	struct closing c;
	puts("the time");
	filled(&c, 1, by_close);
	double began = now();
	join(begin(&c));
	printf("as long as that: %d\n", now() - began > 0.9);
	printf("all of it came: %d\n", drain(c.peer) == c.sent);
	close(c.peer);
}

int main(void)
{
	struct closing early;
	sem_init(&here, 0, 0);
	sem_init(&gone, 0, 0);
	filled(&early, LONG, by_close); /* before there is a thread */
	pthread_t t = spawn(parked_until, &gone);
	report_threads();
	sem_post(&gone);
	join(t);
	puts("made before the first thread");
	end(&early, begin(&early));
	closes("close", by_close);
	closes("close_range", by_close_range);
	closes("dup2", by_dup2);
	closes("dup3", by_dup3);
	closes("fclose", by_fclose);
	closes("_IO_file_close", by_file_close);
	closes_above();
	closes_accepted();
	closes_at_once();
	ends_by_handler();
	ends_by_cancellation();
	ends_with_the_time();
	return 0;
}
