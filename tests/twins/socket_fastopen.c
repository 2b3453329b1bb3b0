/* TCP fast open, whose first call both connects and sends (MSG_FASTOPEN, TCP_FASTOPEN_CONNECT), without and with a cookie of the server; and TCP_DEFER_ACCEPT.
 *
 * What each call answers depends on what the machine's earlier connections have left: so in a network of the fixture's own, where it may make one. */
#include <net/if.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "twin.h"

enum { SKIPPED = 77, CLIENT_AND_SERVER = 3 };

static struct sockaddr_in address;
static sem_t here;

/* Before there is a thread: a network is a thread's. */
static void own_network(void)
{
	struct ifreq loopback = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	char allowed = '0' + CLIENT_AND_SERVER;
	int fd = unshare(CLONE_NEWNET) == 0 ? socket(AF_INET, SOCK_DGRAM, 0) : -1;
	int setting = fd >= 0 ? open("/proc/sys/net/ipv4/tcp_fastopen", O_WRONLY) : -1;
	if (setting < 0 || write(setting, &allowed, 1) != 1 || ioctl(fd, SIOCSIFFLAGS, &loopback) < 0) {
		fprintf(stderr, "skipped: no network of its own, or no tcp_fastopen to set there (%s)\n",
			strerror(errno));
		exit(SKIPPED);
	}
	close(setting);
	close(fd);
}

static int make_listener(int option, int value)
{
	int fd = bound(SOCK_STREAM, &address);
	check(setsockopt(fd, IPPROTO_TCP, option, &value, sizeof value) == 0);
	check(listen(fd, 16) == 0);
	return fd;
}

static void *serve(void *arg)
{
	char bytes[64];
	size_t got = 0;
	ssize_t n;
	int fd = accept((int)(long)arg, NULL, NULL);
	check(fd >= 0);
	while ((n = recv(fd, bytes + got, sizeof bytes - got, 0)) > 0)
		got += (size_t)n;
	check(send(fd, bytes, got, 0) == (ssize_t)got);
	close(fd);
	return NULL;
}

/* ---- How the first bytes are sent ---- */

static ssize_t by_sendto(int fd)
{
	return sendto(fd, "first", 5, MSG_FASTOPEN, (struct sockaddr *)&address, sizeof address);
}

static char first[] = "first";

static ssize_t by_sendmsg(int fd)
{
	struct iovec v = {first, 5};
	struct msghdr m = {.msg_name = &address, .msg_namelen = sizeof address, .msg_iov = &v, .msg_iovlen = 1};
	return sendmsg(fd, &m, MSG_FASTOPEN);
}

static ssize_t by_sendmmsg(int fd)
{
	struct iovec v = {first, 5};
	struct mmsghdr m = {
		.msg_hdr = {.msg_name = &address, .msg_namelen = sizeof address, .msg_iov = &v, .msg_iovlen = 1}};
	int n = sendmmsg(fd, &m, 1, MSG_FASTOPEN);
	return n == 1 ? (ssize_t)m.msg_len : n;
}

static int defer(int fd)
{
	int on = 1;
	check(setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &on, sizeof on) == 0);
	return connect(fd, (struct sockaddr *)&address, sizeof address);
}

static ssize_t by_write(int fd)
{
	return defer(fd) < 0 ? -1 : write(fd, "first", 5);
}

static ssize_t by_writev(int fd)
{
	struct iovec v = {first, 5};
	return defer(fd) < 0 ? -1 : writev(fd, &v, 1);
}

static ssize_t by_send(int fd)
{
	return defer(fd) < 0 ? -1 : send(fd, "first", 5, 0);
}

static ssize_t by_connected_sendmsg(int fd)
{
	struct iovec v = {first, 5};
	struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1};
	return defer(fd) < 0 ? -1 : sendmsg(fd, &m, 0);
}

static const struct {
	const char *name;
	ssize_t (*send)(int fd);
} ways[] = {
	{"sendto", by_sendto},
	{"sendmsg", by_sendmsg},
	{"sendmmsg", by_sendmmsg},
	{"connect and write", by_write},
	{"connect and writev", by_writev},
	{"connect and send", by_send},
	{"connect and sendmsg", by_connected_sendmsg},
};

static void one(int listener, size_t way, int type)
{
	char back[64] = "";
	pthread_t t = spawn(serve, (void *)(long)listener);
	int fd = socket(AF_INET, SOCK_STREAM | type, 0);
	check(fd >= 0);
	errno = 0;
	ssize_t n = ways[way].send(fd);
	printf("  %s%s: %zd %s\n", ways[way].name, type ? ", not to block" : "", n,
	       n < 0 ? strerrorname_np(errno) : "");
	if (n < 0 && errno == EINPROGRESS) {
		struct pollfd p = {.fd = fd, .events = POLLOUT};
		show(poll(&p, 1, -1));
		show(send(fd, "first", 5, 0));
	}
	check(shutdown(fd, SHUT_WR) == 0 && fcntl(fd, F_SETFL, 0) == 0);
	size_t got = 0;
	while ((n = recv(fd, back + got, sizeof back - 1 - got, 0)) > 0)
		got += (size_t)n;
	printf("  back: %s\n", back);
	close(fd);
	join(t);
}

static void *take(void *arg)
{
	char byte = ' ';
	sem_post(&here);
	int fd = accept((int)(long)arg, NULL, NULL);
	check(fd >= 0 && recv(fd, &byte, 1, 0) == 1);
	close(fd);
	return (void *)(long)byte;
}

static void deferred(void)
{
	int listener = make_listener(TCP_DEFER_ACCEPT, 5);
	struct pollfd p = {.fd = listener, .events = POLLIN};
	pthread_t t = spawn(take, (void *)(long)listener);
	wait_for(&here);
	int fd = tcp_dial(&address);
	puts("connected, and nothing sent");
	show(poll(&p, 1, 0));
	show(send(fd, "d", 1, 0));
	printf("taken with %c\n", (char)(long)join(t));
	close(fd);
	close(listener);
}

/* A server that takes it; then, with a cookie for its machine, one that does not. */
static void all_of(size_t way, int type)
{
	int listener = make_listener(TCP_FASTOPEN, 16);
	puts("without a cookie, and with it");
	one(listener, way, type);
	one(listener, way, type);
	close(listener);
	puts("refused");
	listener = tcp_listener(&address);
	one(listener, way, type);
	close(listener);
}

/* In a process of its own: nothing is known to its network. */
static void apart(size_t way, int type)
{
	int status;
	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0) {
		sem_t go;
		own_network();
		sem_init(&here, 0, 0);
		sem_init(&go, 0, 0);
		pthread_t parked = spawn(parked_until, &go);
		report_threads();
		if (way < sizeof ways / sizeof *ways)
			all_of(way, type);
		else
			deferred();
		sem_post(&go);
		join(parked);
		exit(0);
	}
	check(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
	if (WEXITSTATUS(status))
		exit(WEXITSTATUS(status));
}

int main(void)
{
	for (size_t way = 0; way < sizeof ways / sizeof *ways; way++) {
		apart(way, 0);
		apart(way, SOCK_NONBLOCK);
	}
	apart(sizeof ways / sizeof *ways, 0);
	return 0;
}
