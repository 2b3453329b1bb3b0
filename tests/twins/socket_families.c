/* Sockets of other families and what happens to connections: IPv6, netlink, packet sockets, the error queue, a reset in the middle, half-closed
 * ends, a connect that does not wait, and one that a handler interrupts. */
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <netinet/ip.h>
#include <poll.h>
#include <signal.h>
#include <sys/time.h>
#include <sys/un.h>

#include "twin.h"

static sem_t here;
static volatile int handled;

struct job {
	int fd;
	char data[70000];
	ssize_t n;
	int error;
};

static void *receiver(void *arg)
{
	struct job *j = arg;
	sem_post(&here);
	j->n = recv(j->fd, j->data, sizeof j->data, 0);
	j->error = errno;
	return NULL;
}

static struct job job;

static pthread_t begin(int fd)
{
	job.fd = fd;
	pthread_t t = spawn(receiver, &job);
	wait_for(&here);
	return t;
}

static int bound6(int type, struct sockaddr_in6 *address)
{
	socklen_t size = sizeof *address;
	int fd = socket(AF_INET6, type, 0);
	memset(address, 0, sizeof *address);
	address->sin6_family = AF_INET6;
	address->sin6_addr = in6addr_loopback;
	if (fd < 0 || bind(fd, (struct sockaddr *)address, sizeof *address) < 0)
		return -1;
	check(getsockname(fd, (struct sockaddr *)address, &size) == 0);
	return fd;
}

static void *accept_one(void *arg)
{
	sem_post(&here);
	return (void *)(long)accept((int)(long)arg, NULL, NULL);
}

static void version_six(void)
{
	struct sockaddr_in6 address;
	int listening = bound6(SOCK_STREAM, &address);
	if (listening < 0) {
		puts("no IPv6");
		return;
	}
	check(listen(listening, 5) == 0);
	pthread_t t = spawn(accept_one, (void *)(long)listening);
	wait_for(&here);
	report_threads();
	int fd = socket(AF_INET6, SOCK_STREAM, 0);
	check(connect(fd, (struct sockaddr *)&address, sizeof address) == 0);
	int conn = (int)(long)join(t);
	t = begin(conn);
	check(send(fd, "six", 3, 0) == 3);
	join(t);
	printf("tcp6 %zd\n", job.n);
	close(fd);
	close(conn);
	close(listening);
	int to = bound6(SOCK_DGRAM, &address), from = socket(AF_INET6, SOCK_DGRAM, 0);
	t = begin(to);
	check(sendto(from, "udp", 3, 0, (struct sockaddr *)&address, sizeof address) == 3);
	join(t);
	printf("udp6 %zd\n", job.n);
	close(to);
	close(from);
}

static void netlink(void)
{
	struct {
		struct nlmsghdr head;
		struct rtgenmsg body;
	} ask = {.head = {.nlmsg_len = sizeof ask,
			  .nlmsg_type = RTM_GETLINK,
			  .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP}};
	int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
	if (fd < 0) {
		printf("netlink: %s\n", strerrorname_np(errno));
		return;
	}
	pthread_t t = begin(fd);
	check(send(fd, &ask, sizeof ask, 0) == sizeof ask);
	join(t);
	printf("netlink answers: %d\n", job.n > (ssize_t)sizeof(struct nlmsghdr));
	close(fd);
	fd = socket(AF_PACKET, SOCK_DGRAM, 0);
	printf("packet socket: %s\n", fd < 0 ? strerrorname_np(errno) : "may be had");
	if (fd >= 0)
		show(recv(fd, &ask, sizeof ask, MSG_DONTWAIT));
	close(fd);
}

/* A datagram to a port where nobody listens: the error comes back, and is told twice: by the queue and by a call. */
static void error_queue(void)
{
	struct sockaddr_in address;
	int on = 1, gone = bound(SOCK_DGRAM, &address), fd = socket(AF_INET, SOCK_DGRAM, 0);
	char control[500], data[100];
	struct iovec v = {data, sizeof data};
	struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
	close(gone);
	check(connect(fd, (struct sockaddr *)&address, sizeof address) == 0);
	check(setsockopt(fd, IPPROTO_IP, IP_RECVERR, &on, sizeof on) == 0);
	show(recvmsg(fd, &m, MSG_ERRQUEUE));
	pthread_t t = begin(fd);
	check(send(fd, "lost", 4, 0) == 4);
	join(t);
	printf("recv %zd %s\n", job.n, strerrorname_np(job.error));
	m.msg_controllen = sizeof control;
	show(recvmsg(fd, &m, MSG_ERRQUEUE));
	printf("of the queue: %d\n", !!(m.msg_flags & MSG_ERRQUEUE));
	show(recvmsg(fd, &m, MSG_ERRQUEUE));
	close(fd);
}

static void *send_much(void *arg)
{
	static char data[8 << 20];
	int fd = (int)(long)arg;
	ssize_t n, sum = 0;
	sem_post(&here);
	while ((n = send(fd, data, sizeof data, MSG_NOSIGNAL)) > 0)
		sum += n;
	check(sum >= 0);
	return (void *)(long)errno;
}

static void reset(void)
{
	int fd[2];
	struct linger at_once = {.l_onoff = 1};
	/* While one reads. */
	tcp_pair(fd);
	pthread_t t = begin(fd[0]);
	check(setsockopt(fd[1], SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once) == 0);
	close(fd[1]);
	join(t);
	printf("reader: %zd %s\n", job.n, strerrorname_np(job.error));
	show(recv(fd[0], job.data, 1, 0));
	close(fd[0]);
	/* While one writes: he learns it from this call or the next. */
	tcp_pair(fd);
	t = spawn(send_much, (void *)(long)fd[0]);
	wait_for(&here);
	read_all(fd[1], job.data, sizeof job.data);
	check(setsockopt(fd[1], SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once) == 0);
	close(fd[1]);
	int error = (int)(long)join(t);
	printf("writer: %d\n", error == ECONNRESET || error == EPIPE);
	close(fd[0]);
}

static void half_closed(void)
{
	int fd[2];
	tcp_pair(fd);
	pthread_t t = begin(fd[0]);
	check(shutdown(fd[1], SHUT_WR) == 0);
	join(t);
	printf("end %zd\n", job.n);
	t = begin(fd[1]);
	check(send(fd[0], "still", 5, 0) == 5);
	join(t);
	printf("the other way %zd\n", job.n);
	close(fd[0]);
	close(fd[1]);
}

static void does_not_wait(void)
{
	struct sockaddr_in address;
	int listening = tcp_listener(&address), fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), error = 1;
	socklen_t size = sizeof error;
	show(connect(fd, (struct sockaddr *)&address, sizeof address));
	struct pollfd p = {.fd = fd, .events = POLLOUT};
	show(poll(&p, 1, -1));
	check(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0);
	printf("error %d\n", error);
	show(connect(fd, (struct sockaddr *)&address, sizeof address));
	show(connect(fd, (struct sockaddr *)&address, sizeof address));
	close(fd);
	close(listening);
}

static struct sockaddr_un name = {.sun_family = AF_UNIX};

static void *dial(void *arg)
{
	int fd = (int)(long)arg;
	sem_post(&here);
	return (void *)(long)(connect(fd, (struct sockaddr *)&name, sizeof name) < 0 ? errno : 0);
}

static void on_signal(int sig)
{
	handled++;
}

/* A Unix listener whose queue is full lets the next wait. */
static void interrupted(void)
{
	struct sigaction a = {.sa_handler = on_signal};
	int fds[3], listening = socket(AF_UNIX, SOCK_STREAM, 0);
	void *value;
	snprintf(name.sun_path + 1, sizeof name.sun_path - 1, "twin-%d", (int)getpid());
	check(bind(listening, (struct sockaddr *)&name, sizeof name) == 0 && listen(listening, 0) == 0);
	for (int i = 0; i < 3; i++)
		fds[i] = socket(AF_UNIX, SOCK_STREAM, 0);
	check(connect(fds[0], (struct sockaddr *)&name, sizeof name) == 0);
	struct timeval little = {.tv_usec = 5000};
	check(setsockopt(fds[1], SOL_SOCKET, SO_SNDTIMEO, &little, sizeof little) == 0);
	show(connect(fds[1], (struct sockaddr *)&name, sizeof name));
	sigaction(SIGUSR1, &a, NULL);
	pthread_t t = spawn(dial, (void *)(long)fds[2]);
	wait_for(&here);
	while (pthread_tryjoin_np(t, &value) == EBUSY) {
		pthread_kill(t, SIGUSR1);
		usleep(1000);
	}
	printf("interrupted: %s\n", strerrorname_np((int)(long)value));
	t = spawn(dial, (void *)(long)fds[2]);
	wait_for(&here);
	close(accept(listening, NULL, NULL));
	printf("again: %ld\n", (long)join(t));
	for (int i = 0; i < 3; i++)
		close(fds[i]);
	close(listening);
}

int main(void)
{
	sem_t go;
	sem_init(&here, 0, 0);
	sem_init(&go, 0, 0);
	pthread_t parked = spawn(parked_until, &go);
	version_six();
	netlink();
	error_queue();
	reset();
	half_closed();
	does_not_wait();
	interrupted();
	sem_post(&go);
	join(parked);
	return 0;
}
