/* Connections: by name, by path, refused, too late, too many, half closed, reset; and ten thousand of them. */
#include <criterion/criterion.h>
#include <gev/gev.h>

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <netinet/in.h>
#include <sched.h>
#include <semaphore.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/sys.h"

static int listener = -1;
static char text[128];

static int port_of(int fd)
{
	struct sockaddr_in a = {0};
	socklen_t length = sizeof a;
	cr_assert_eq(getsockname(fd, (struct sockaddr *)&a, &length), 0);
	return ntohs(a.sin_port);
}

static void listen_as(const char *address, const char *dial)
{
	listener = gev_listen(address, 4096);
	cr_assert_geq(listener, 0, "%s: %s", address, strerror(errno));
	snprintf(text, sizeof text, dial, port_of(listener));
}

static void one_byte_each_way(void)
{
	char c = 0;
	int there = gev_dial(text, 10);
	cr_assert_geq(there, 0, "%s: %s", text, strerror(errno));
	int here = gev_accept(listener, NULL, NULL, 10);
	cr_assert_geq(here, 0);
	cr_expect(fcntl(here, F_GETFL) & O_NONBLOCK);
	cr_expect(fcntl(here, F_GETFD) & FD_CLOEXEC);
	cr_expect_eq(gev_send_all(there, "x", 1, 10), 1);
	cr_expect_eq(gev_recv(here, &c, 1, 0, 10), 1);
	cr_expect_eq(gev_send_all(here, "y", 1, 10), 1);
	cr_expect_eq(gev_recv(there, &c, 1, 0, 10), 1);
	cr_expect_eq(c, 'y');
	gev_close(there);
	gev_close(here);
	gev_close(listener);
}

Test(connect, by_number_by_name_and_by_path)
{
	listen_as("127.0.0.1:0", "127.0.0.1:%d");
	one_byte_each_way();
	listen_as(":0", "127.0.0.1:%d");
	one_byte_each_way();
	listen_as("localhost:0", "localhost:%d");
	one_byte_each_way();
	int v6 = socket(AF_INET6, SOCK_STREAM, 0);
	struct sockaddr_in6 loopback = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	if (v6 >= 0 && bind(v6, (struct sockaddr *)&loopback, sizeof loopback) == 0) {
		listen_as("[::1]:0", "[::1]:%d");
		one_byte_each_way();
	}
	char path[] = "/tmp/gev-unix-XXXXXX";
	cr_assert_not_null(mkdtemp(path));
	char address[64];
	snprintf(address, sizeof address, "unix:%s/s", path);
	listen_as(address, address);
	one_byte_each_way();
	cr_expect_eq(gev_listen(address, 1), -1, "nobody has unlinked it");
	cr_expect_eq(errno, EADDRINUSE);
	cr_expect_eq(gev_dial(address, 30), -1);
	cr_expect_eq(errno, ECONNREFUSED);
	unlink(address + 5);
	rmdir(path);
	snprintf(address, sizeof address, "unix:@gev-%d", (int)getpid());
	listen_as(address, address);
	one_byte_each_way();
}

static const struct {
	const char *desc;
	const char *address;
	int error;
} refused[] = {
	{"no port", "127.0.0.1", EINVAL},
	{"an empty port", "127.0.0.1:", EINVAL},
	{"a port too high", "127.0.0.1:65536", EINVAL},
	{"a negative port", "127.0.0.1:-1", EINVAL},
	{"a blank", "127.0.0.1: 80", EINVAL},
	{"an address too short", "127.0.0:80", EINVAL},
	{"digits", "1:80", EINVAL},
	{"IPv6 without brackets", "::1:80", EINVAL},
	{"no host", ":80", EINVAL},
	{"empty brackets", "[]:80", EINVAL},
	{"no path", "unix:", EINVAL},
	{"no abstract name", "unix:@", EINVAL},
	{"a name in brackets", "[localhost]:80", ENOENT},
	{"no such service", "localhost:no-such-service", ENOENT},
	{"no such file", "unix:/no/such/socket", ENOENT},
	{"NULL", NULL, EINVAL},
};

Test(connect, what_cannot_be_dialled)
{
	char path[256] = "unix:";
	memset(path + 5, 'x', 120);
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
		errno = 0;
		cr_expect_eq(gev_dial(refused[i].address, 30), -1, "%s", refused[i].desc);
		cr_expect_eq(errno, refused[i].error, "%s: %s", refused[i].desc, strerror(errno));
	}
	cr_expect_eq(gev_dial(path, 30), -1);
	cr_expect_eq(errno, ENAMETOOLONG);
	cr_expect_eq(gev_dial("127.0.0.1:1", NAN), -1);
	cr_expect_eq(errno, EINVAL);
	int taken = gev_listen("127.0.0.1:0", 1);
	snprintf(text, sizeof text, "127.0.0.1:%d", port_of(taken));
	cr_expect_eq(gev_listen(text, 1), -1);
	cr_expect_eq(errno, EADDRINUSE);
	gev_close(taken);
	cr_expect_eq(gev_dial(text, 30), -1);
	cr_expect_eq(errno, ECONNREFUSED);
	cr_expect_eq(gev_connect(-1, NULL, 0, 1), -1);
	cr_expect_eq(errno, EBADF);
	cr_expect_eq(gev_accept(-1, NULL, NULL, 1), -1);
	cr_expect_eq(errno, EBADF);
	int plain = socket(AF_INET, SOCK_STREAM, 0);
	cr_expect_eq(gev_accept(plain, NULL, NULL, 1), -1);
	cr_expect_eq(errno, EINVAL, "it does not listen");
}

/* A resolver that does not answer, and one that fails in each of its ways. */

static int eai;

static int fail_to_resolve(const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **list)
{
	errno = EMFILE;
	return eai;
}

static sem_t resolves;
static int resolved;

static int resolve_late(const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **list)
{
	while (sem_wait(&resolves))
		;
	int r = getaddrinfo(host, service, hints, list);
	__atomic_store_n(&resolved, 1, __ATOMIC_SEQ_CST);
	return r;
}

Test(connect, a_resolver_that_fails_or_does_not_answer)
{
	static const struct {
		int eai, error;
	} rows[] = {
		{EAI_NONAME, ENOENT}, {EAI_AGAIN, EAGAIN}, {EAI_MEMORY, ENOMEM}, {EAI_SYSTEM, EMFILE}, {EAI_FAIL, EIO}};
	gev_sleep(0);
	gev__sys.getaddrinfo = fail_to_resolve;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		eai = rows[i].eai;
		cr_expect_eq(gev_dial("name:80", 30), -1);
		cr_expect_eq(errno, rows[i].error, "%d: %s", eai, strerror(errno));
	}
	gev__sys.getaddrinfo = resolve_late;
	sem_init(&resolves, 0, 0);
	cr_expect_eq(gev_dial("localhost:80", 0.01), -1, "it does not wait for the answer");
	cr_expect_eq(errno, ETIMEDOUT);
	sem_post(&resolves); /* it is dropped on its thread: the leak checker would say if not */
	while (!__atomic_load_n(&resolved, __ATOMIC_SEQ_CST))
		sched_yield();
}

/* ---- Waiting to be connected ---- */

static void *accept_late(void *arg)
{
	gev_sleep(0.01);
	for (int i = 0; i < 2; i++)
		cr_expect_geq(gev_accept(listener, NULL, NULL, 10), 0);
	return NULL;
}

Test(connect, a_full_unix_listener_is_tried_again)
{
	snprintf(text, sizeof text, "unix:@gev-full-%d", (int)getpid());
	listener = gev_listen(text, 0);
	cr_assert_geq(gev_dial(text, 30), 0);
	cr_expect_eq(gev_dial(text, 0.005), -1, "its queue is full");
	cr_expect_eq(errno, ETIMEDOUT);
	struct gev_greenlet *g = gev_spawn(accept_late, NULL);
	cr_expect_geq(gev_dial(text, 10), 0);
	gev_join(g, 10, NULL);
}

static int connects;

static int connect_slowly(int fd, const struct sockaddr *address, socklen_t length)
{
	static const int errors[] = {EINTR, EALREADY, EINPROGRESS};
	if (connects < 3) {
		errno = errors[connects++];
		return -1;
	}
	return connect(fd, address, length);
}

Test(connect, EINTR_and_the_kinds_of_not_yet)
{
	listen_as("127.0.0.1:0", "127.0.0.1:%d");
	gev__sys.connect = connect_slowly;
	one_byte_each_way();
	cr_expect_eq(connects, 3);
}

Test(connect, a_blocking_socket_stays_so)
{
	listen_as("127.0.0.1:0", "127.0.0.1:%d");
	struct sockaddr_in a = {.sin_family = AF_INET,
				.sin_port = htons((uint16_t)port_of(listener)),
				.sin_addr = {htonl(INADDR_LOOPBACK)}};
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	cr_expect_eq(gev_connect(fd, (struct sockaddr *)&a, sizeof a, 10), 0);
	cr_expect_eq(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
	cr_expect_eq(gev_connect(fd, (struct sockaddr *)&a, sizeof a, 10), -1);
	cr_expect_eq(errno, EISCONN);
	/* And a blocking listener is waited for. */
	fcntl(listener, F_SETFL, 0);
	struct sockaddr_in peer = {0};
	socklen_t length = sizeof peer;
	int here = gev_accept4(listener, (struct sockaddr *)&peer, &length, 0, 10);
	cr_assert_geq(here, 0);
	cr_expect_eq(length, sizeof peer);
	cr_expect_eq(fcntl(here, F_GETFL) & O_NONBLOCK, 0);
	cr_expect_eq(gev_accept(listener, NULL, NULL, 0.005), -1);
	cr_expect_eq(errno, ETIMEDOUT);
}

/* ---- The middle and the end of a connection ---- */

static int here, there;

static void make_connection(void)
{
	listen_as("127.0.0.1:0", "127.0.0.1:%d");
	there = gev_dial(text, 10);
	here = gev_accept(listener, NULL, NULL, 10);
	cr_assert(there >= 0 && here >= 0);
}

Test(connect, half_closed)
{
	char buf[8];
	make_connection();
	cr_expect_eq(gev_send_all(there, "abc", 3, 10), 3);
	cr_expect_eq(shutdown(there, SHUT_WR), 0);
	cr_expect_eq(gev_recv_all(here, buf, sizeof buf, 10), 3);
	cr_expect_eq(errno, 0);
	cr_expect_eq(gev_recv(here, buf, sizeof buf, 0, 10), 0);
	cr_expect_eq(gev_send_all(here, "answer", 6, 10), 6, "the other half is open");
	cr_expect_eq(gev_recv(there, buf, 6, MSG_WAITALL, 10), 6);
	cr_expect_eq(gev_send(there, "x", 1, 0, 10), -1);
	cr_expect_eq(errno, EPIPE);
}

static void reset(int fd)
{
	struct linger at_once = {.l_onoff = 1};
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
	gev_close(fd);
}

static void *take_some_and_reset(void *arg)
{
	static char buf[65536];
	gev_recv_all(here, buf, sizeof buf, 10);
	reset(here);
	return NULL;
}

Test(connect, reset_in_the_middle)
{
	static char big[32 << 20];
	char buf[8];
	make_connection();
	struct gev_greenlet *g = gev_spawn(take_some_and_reset, NULL);
	ssize_t n = gev_send_all(there, big, sizeof big, 10);
	cr_expect(n >= 65536 && n < (ssize_t)sizeof big, "%zd", n);
	cr_expect(errno == ECONNRESET || errno == EPIPE, "%s", strerror(errno));
	gev_join(g, 10, NULL);
	make_connection();
	cr_expect_eq(gev_send_all(here, "abc", 3, 10), 3);
	cr_expect_eq(gev_recv(there, buf, 3, 0, 10), 3);
	reset(here);
	cr_expect_eq(gev_recv_all(there, buf, 8, 10), -1);
	cr_expect_eq(errno, ECONNRESET);
}

Test(connect, datagrams_and_messages)
{
	int fds[2];
	char buf[16];
	cr_assert_eq(socketpair(AF_UNIX, SOCK_DGRAM, 0, fds), 0);
	cr_expect_eq(gev_recvfrom(fds[0], buf, sizeof buf, 0, NULL, NULL, 0.002), -1);
	cr_expect_eq(errno, ETIMEDOUT);
	struct iovec v[2] = {{"ab", 2}, {"cd", 2}};
	struct msghdr message = {.msg_iov = v, .msg_iovlen = 2};
	cr_expect_eq(gev_sendmsg(fds[1], &message, 0, 1), 4);
	cr_expect_eq(gev_sendto(fds[1], "xyz", 3, 0, NULL, 0, 1), 3);
	struct sockaddr_un from;
	socklen_t length = sizeof from;
	cr_expect_eq(gev_recvfrom(fds[0], buf, sizeof buf, 0, (struct sockaddr *)&from, &length, 1), 4);
	cr_expect_eq(memcmp(buf, "abcd", 4), 0);
	v[0] = (struct iovec){buf, 2};
	message.msg_iovlen = 1;
	cr_expect_eq(gev_recvmsg(fds[0], &message, 0, 1), 2);
	cr_expect_eq(message.msg_flags & MSG_TRUNC, MSG_TRUNC);
	cr_expect_eq(gev_recvmsg(fds[0], &message, MSG_DONTWAIT, 10), -1);
	cr_expect_eq(errno, EAGAIN);
	/* A full queue: readiness tells nothing of the peer's (unix_dgram_poll), so it is tried again. */
	while (gev_send(fds[1], "fill", 4, MSG_DONTWAIT, 1) == 4)
		;
	cr_expect_eq(errno, EAGAIN);
	cr_expect_eq(gev_send(fds[1], "more", 4, 0, 0.01), -1);
	cr_expect_eq(errno, ETIMEDOUT);
}

/* ---- Limits ---- */

Test(connect, EMFILE)
{
	listen_as("127.0.0.1:0", "127.0.0.1:%d");
	cr_assert_eq(gev_accept(listener, NULL, NULL, 0.001), -1); /* the hub has its own by now */
	int client = gev_dial(text, 10);
	cr_assert_geq(client, 0);
	int last = dup(0);
	struct rlimit limit, low;
	getrlimit(RLIMIT_NOFILE, &limit);
	low = limit;
	low.rlim_cur = (rlim_t)last;
	close(last);
	setrlimit(RLIMIT_NOFILE, &low);
	cr_expect_eq(gev_accept(listener, NULL, NULL, 1), -1);
	cr_expect_eq(errno, EMFILE);
	cr_expect_eq(gev_dial(text, 30), -1);
	cr_expect_eq(errno, EMFILE);
	cr_expect_eq(gev_listen("127.0.0.1:0", 1), -1);
	cr_expect_eq(errno, EMFILE);
	setrlimit(RLIMIT_NOFILE, &limit);
	/* By valgrind it is: the limit is its own there, and it closes again what the kernel has accepted. */
	if (getenv("MEMCHECK") == NULL)
		cr_expect_geq(gev_accept(listener, NULL, NULL, 1), 0, "it was not lost");
}

static int failing;

static void *echo_one(void *arg)
{
	int fd = (int)(intptr_t)arg;
	char c;
	while (gev_recv(fd, &c, 1, 0, GEV_FOREVER) == 1)
		if (gev_send_all(fd, &c, 1, GEV_FOREVER) != 1)
			break;
	gev_close(fd);
	return NULL;
}

static void *ask_once(void *arg)
{
	char c = 0;
	int fd = gev_dial(text, GEV_FOREVER);
	if (fd < 0) {
		failing++;
		return NULL;
	}
	*(int *)arg = fd;
	if (gev_send_all(fd, "z", 1, GEV_FOREVER) != 1 || gev_recv(fd, &c, 1, 0, GEV_FOREVER) != 1 || c != 'z')
		failing++;
	return NULL;
}

/* The clients live in another process, so that each side needs one descriptor for each connection. */
static int run_clients(int n)
{
	struct gev_greenlet **g = calloc((size_t)n, sizeof *g);
	int *fds = calloc((size_t)n, sizeof *fds);
	for (int i = 0; i < n; i++)
		g[i] = gev_spawn(ask_once, &fds[i]);
	for (int i = 0; i < n; i++)
		if (g[i] == NULL || gev_join(g[i], GEV_FOREVER, NULL))
			failing++;
	/* All are open now, at once; each is asked once more. */
	for (int i = 0; i < n; i++) {
		char c;
		if (gev_send_all(fds[i], "w", 1, GEV_FOREVER) != 1 || gev_recv(fds[i], &c, 1, 0, GEV_FOREVER) != 1)
			failing++;
	}
	free(g);
	free(fds);
	return failing;
}

static int asked, controlled;

static int count_getsockopt(int fd, int level, int name, void *value, socklen_t *size)
{
	asked++;
	return getsockopt(fd, level, name, value, size);
}

static int count_epoll_ctl(int epoll, int op, int fd, struct epoll_event *event)
{
	controlled++;
	return epoll_ctl(epoll, op, fd, event);
}

Test(connect, a_connection_is_what_its_listener_is_and_leaves_a_set_only_if_it_was_in_one)
{
	char bytes[16];
	listen_as("127.0.0.1:0", "127.0.0.1:%d");
	cr_assert_eq(gev_accept(listener, NULL, NULL, 0.001), -1);
	gev__sys.getsockopt = count_getsockopt;
	gev__sys.epoll_ctl = count_epoll_ctl;
	for (int i = 0; i < 3; i++) {
		there = gev_dial(text, 10);
		here = gev_accept(listener, NULL, NULL, 10);
		cr_assert(there >= 0 && here >= 0);
		int asked_before = asked, before = controlled;
		cr_assert_eq(gev_send_all(there, "x", 1, 10), 1);
		cr_expect_eq(gev_recv(here, bytes, sizeof bytes, 0, 10), 1);
		if (i == 2) {
			cr_expect_eq(gev_recv(here, bytes, sizeof bytes, 0, 0.001), -1);
			cr_expect_eq(errno, ETIMEDOUT);
		}
		cr_expect_eq(controlled, before, "%d", i);
		gev_close(here);
		cr_expect_eq(asked, asked_before, "%d", i);
		cr_expect_eq(controlled, before + (i == 2), "%d: %d", i, controlled - before);
		gev_close(there);
	}
	cr_expect_leq(asked, 1, "the listener, once: %d", asked);
	gev_close(listener);
}

Test(connect, the_number_of_a_connection_says_nothing_of_the_next)
{
	char bytes[8];
	listen_as("127.0.0.1:0", "127.0.0.1:%d");
	cr_assert_eq(gev_accept(listener, NULL, NULL, 0.001), -1);
	int pair[2];
	there = gev_dial(text, 10);
	here = gev_accept(listener, NULL, NULL, 10);
	cr_assert(there >= 0 && here >= 0);
	gev_close(here);
	/* A short read of messages is not all there is. */
	cr_assert_eq(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair), 0);
	cr_assert_eq(pair[0], here);
	cr_assert(write(pair[1], "a", 1) == 1 && write(pair[1], "b", 1) == 1);
	gev__sys.getsockopt = count_getsockopt;
	cr_expect_eq(gev_recv(here, bytes, sizeof bytes, 0, 10), 1);
	cr_expect_eq(gev_recv(here, bytes, sizeof bytes, 0, 10), 1);
	cr_expect_eq(asked, 1, "%d", asked);
}

Test(connect, ten_thousand_at_once)
{
	enum { MOST = 10000 };
	struct rlimit limit;
	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	int n = limit.rlim_cur > MOST + 1200 ? MOST : (int)limit.rlim_cur / 2;
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	cr_assert_eq(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
	cr_assert_eq(listen(fd, 4096), 0);
	snprintf(text, sizeof text, "127.0.0.1:%d", port_of(fd));
	pid_t child = fork(); /* before there is a hub */
	if (child == 0)
		_exit(run_clients(n) ? 1 : 0);
	struct gev_greenlet **g = calloc((size_t)n, sizeof *g);
	for (int i = 0; i < n; i++) {
		int new = gev_accept(fd, NULL, NULL, GEV_FOREVER);
		cr_assert_geq(new, 0, "%d: %s", i, strerror(errno));
		g[i] = gev_spawn(echo_one, (void *)(intptr_t) new);
	}
	for (int i = 0; i < n; i++)
		cr_assert_eq(gev_join(g[i], GEV_FOREVER, NULL), 0);
	int status = -1;
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_expect_eq(status, 0, "of %d", n);
	free(g);
}
