/* A Unix stream whose reader asks for its writers' credentials: a read that waits for much glues together what one process has written, however often, and
 * ends where another's begins, in whichever call. */
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "carrier.h"

enum { MUCH = 64 };

static int fd[2], to_child[2], from_child[2];
static pid_t child;
static sem_t here, next;
static char buffer[MUCH];

static ssize_t message(size_t n, int flags, size_t room)
{
	char control[256];
	struct iovec v[2] = {{buffer, 1}, {buffer + 1, n - 1}};
	struct msghdr m = {.msg_iov = v, .msg_iovlen = 2, .msg_control = room ? control : NULL, .msg_controllen = room};
	ssize_t r = recvmsg(fd[0], &m, flags);
	printf("  flags %#x, control", (unsigned)m.msg_flags & ~(unsigned)MSG_CMSG_CLOEXEC);
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
		struct ucred who = {0};
		int passed = -1;
		if (c->cmsg_type == SCM_CREDENTIALS)
			memcpy(&who, CMSG_DATA(c), sizeof who);
		else
			memcpy(&passed, CMSG_DATA(c), sizeof passed);
		printf(" %s", passed >= 0           ? "descriptor"
			      : who.pid == getpid() ? "of mine"
			      : who.pid == child    ? "of the child's"
						    : "?");
		if (passed >= 0)
			close(passed);
	}
	puts("");
	return r;
}

static ssize_t by_recvmsg(size_t n)
{
	return message(n, MSG_WAITALL, 256);
}

static ssize_t by_recvmsg_small(size_t n)
{
	return message(n, MSG_WAITALL, CMSG_SPACE(sizeof(struct ucred)));
}

static ssize_t by_recvmsg_without(size_t n)
{
	return message(n, MSG_WAITALL, 0);
}

static ssize_t by_recv(size_t n)
{
	return recv(fd[0], buffer, n, MSG_WAITALL);
}

static ssize_t by_recvfrom(size_t n)
{
	struct sockaddr_storage from;
	socklen_t size = sizeof from;
	ssize_t r = recvfrom(fd[0], buffer, n, MSG_WAITALL, (struct sockaddr *)&from, &size);
	printf("  address of %d bytes\n", (int)size);
	return r;
}

static void mark(int low)
{
	check(setsockopt(fd[0], SOL_SOCKET, SO_RCVLOWAT, &low, sizeof low) == 0);
}

static ssize_t by_read(size_t n)
{
	mark((int)n);
	ssize_t r = read(fd[0], buffer, n);
	mark(1);
	return r;
}

static ssize_t by_readv(size_t n)
{
	struct iovec v[2] = {{buffer, 1}, {buffer + 1, n - 1}};
	mark((int)n);
	ssize_t r = readv(fd[0], v, 2);
	mark(1);
	return r;
}

static const struct {
	const char *name;
	ssize_t (*receive)(size_t n);
} ways[] = {
	{"recvmsg", by_recvmsg},
	{"recvmsg, room for one", by_recvmsg_small},
	{"recvmsg, room for none", by_recvmsg_without},
	{"recv", by_recv},
	{"recvfrom", by_recvfrom},
	{"read, low-water mark", by_read},
	{"readv, low-water mark", by_readv},
};

static void *receiver(void *arg)
{
	ssize_t (*receive)(size_t) = ways[(size_t)arg].receive;
	static const size_t wanted[] = {MUCH, 4, MUCH, 2};
	for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
		sem_post(&here);
		ssize_t n = receive(wanted[i]);
		printf("  %zd: %.*s\n", n, (int)n, buffer);
		wait_for(&next);
	}
	return NULL;
}

static void *receive_once(void *arg)
{
	sem_post(&here);
	ssize_t n = ways[(size_t)arg].receive(MUCH);
	printf("  %zd: %.*s\n", n, (int)n, buffer);
	return NULL;
}

/* The child writes what it is told to, and says that it has. */
static void by_child(const char *two)
{
	write_all(to_child[1], two, 2);
	read_all(from_child[0], &(char){0}, 1);
}

static void obey(void)
{
	char two[2];
	close(to_child[1]);
	while (read(to_child[0], two, 2) == 2) {
		write_all(fd[1], two, 2);
		write_all(from_child[1], "", 1);
	}
	_exit(0);
}

static void with_descriptor(const char *two)
{
	struct carrier c;
	check(sendmsg(fd[1], carry(&c, two, 2, fd[1]), 0) == 2);
}

static void *take(void *arg)
{
	fd[0] = accept((int)(long)arg, NULL, NULL);
	check(fd[0] >= 0);
	return NULL;
}

/* fd[0] is taken from a listener that asks for credentials, and so it asks for them too (net/unix/af_unix.c, unix_sock_inherit_flags). */
static void connect_both(void)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	socklen_t size = sizeof at;
	int on = 1, listener = socket(AF_UNIX, SOCK_STREAM, 0);
	/* Without a name the kernel finds one (unix(7), autobind). */
	check(bind(listener, (struct sockaddr *)&at, sizeof at.sun_family) == 0 && listen(listener, 1) == 0);
	check(getsockname(listener, (struct sockaddr *)&at, &size) == 0);
	check(setsockopt(listener, SOL_SOCKET, SO_PASSCRED, &on, sizeof on) == 0);
	pthread_t t = spawn(take, (void *)(long)listener);
	fd[1] = socket(AF_UNIX, SOCK_STREAM, 0);
	check(connect(fd[1], (struct sockaddr *)&at, size) == 0);
	join(t);
	close(listener);
}

int main(void)
{
	int status;
	sem_init(&here, 0, 0);
	sem_init(&next, 0, 0);
	connect_both();
	check(pipe(to_child) == 0 && pipe(from_child) == 0);
	child = fork();
	if (child == 0)
		obey();
	for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
		printf("%s\n", ways[i].name);
		pthread_t t = spawn(receiver, (void *)i);
		wait_for(&here);
		if (i == 0)
			report_threads();
		write_all(fd[1], "ab", 2); /* two of mine, then the child's: they end it */
		write_all(fd[1], "cd", 2);
		by_child("ef");
		sem_post(&next);
		wait_for(&here);
		by_child("gh"); /* both of the child's */
		sem_post(&next);
		wait_for(&here);
		write_all(fd[1], "ij", 2); /* a descriptor ends it, too */
		with_descriptor("kl");
		by_child("mn");
		sem_post(&next);
		wait_for(&here);
		sem_post(&next);
		join(t);
	}
	int off = 0;
	check(setsockopt(fd[0], SOL_SOCKET, SO_PASSCRED, &off, sizeof off) == 0);
	for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
		printf("%s, nothing asked for\n", ways[i].name);
		pthread_t t = spawn(receive_once, (void *)i);
		wait_for(&here);
		write_all(fd[1], "ab", 2);
		by_child("cd");
		with_descriptor("ef"); /* ends it */
		write_all(fd[1], "gh", 2);
		join(t);
		check(recv(fd[0], buffer, sizeof buffer, MSG_DONTWAIT) == 2);
	}
	close(to_child[1]);
	check(waitpid(child, &status, 0) == child && status == 0);
	return 0;
}
