/* A call that has moved something when a handler or an error ends it says how much, and the next call meets the error. */
#include "carrier.h"

#include <signal.h>
#include <sys/ioctl.h>
#include <sys/uio.h>

static sem_t here;
static int done; /* atomic */
static char block[4 << 20];

static void handler(int sig)
{
}

/* ---- A handler ---- */

static void *write_block(void *arg)
{
	ssize_t n = write((int)(long)arg, block, sizeof block);
	printf("write: %s\n", n == sizeof block ? "all" : n > 0 ? "a part" : strerrorname_np(errno));
	__atomic_store_n(&done, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

/* What comes after the part must not go out. */
static void *send_two(void *arg)
{
	char after[1000];
	struct iovec parts[2] = {{block, sizeof block}, {after, sizeof after}};
	struct mmsghdr two[2] = {{.msg_hdr = {.msg_iov = &parts[0], .msg_iovlen = 1}},
				 {.msg_hdr = {.msg_iov = &parts[1], .msg_iovlen = 1}}};
	memset(after, 2, sizeof after);
	int n = sendmmsg((int)(long)arg, two, 2, 0);
	printf("sendmmsg: %d, %s\n", n, two[0].msg_len < sizeof block ? "a part" : "all");
	__atomic_store_n(&done, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

static void *receive_all(void *arg)
{
	char ten[10];
	printf("waitall: %zd\n", recv((int)(long)arg, ten, sizeof ten, MSG_WAITALL));
	__atomic_store_n(&done, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

/* Until it has ended. */
static void interrupt(pthread_t t)
{
	while (!__atomic_load_n(&done, __ATOMIC_SEQ_CST)) {
		check(pthread_kill(t, SIGUSR1) == 0);
		usleep(1000);
	}
	join(t);
	done = 0;
}

static void until_taken(int fd)
{
	for (int left = 1; left > 0; usleep(1000))
		check(ioctl(fd, FIONREAD, &left) == 0);
}

static void by_handler(const char *name, void (*make)(int fd[2]))
{
	int fd[2];
	printf("%s\n", name);
	make(fd);
	interrupt(spawn(write_block, (void *)(long)fd[1]));
	close(fd[0]);
	close(fd[1]);
}

static void make_pipe(int fd[2])
{
	check(pipe(fd) == 0);
}

/* ---- An error ---- */

static void *receive_and_fail(void *arg)
{
	char ten[10];
	int fd = (int)(long)arg;
	for (int i = 0; i < 3; i++) {
		ssize_t n = recv(fd, ten, sizeof ten, MSG_WAITALL);
		printf("waitall: %zd %s\n", n, n < 0 ? strerrorname_np(errno) : "");
	}
	return NULL;
}

static void reset(const char *more)
{
	int fd[2];
	struct linger at_once = {1, 0};
	tcp_pair(fd);
	pthread_t t = spawn(receive_and_fail, (void *)(long)fd[0]);
	write_all(fd[1], "12345", 5);
	until_taken(fd[0]);
	write_all(fd[1], more, strlen(more));
	check(setsockopt(fd[1], SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once) == 0);
	close(fd[1]);
	join(t);
	close(fd[0]);
}

static void *receive_two(void *arg)
{
	char bytes[2][10];
	struct iovec parts[2] = {{bytes[0], 10}, {bytes[1], 10}};
	struct mmsghdr two[2] = {{.msg_hdr = {.msg_iov = &parts[0], .msg_iovlen = 1}},
				 {.msg_hdr = {.msg_iov = &parts[1], .msg_iovlen = 1}}};
	int fd = (int)(long)arg;
	printf("recvmmsg: %d\n", recvmmsg(fd, two, 2, 0, NULL));
	show(recv(fd, bytes[0], 10, MSG_DONTWAIT));
	return NULL;
}

static void refuse(void)
{
	struct sockaddr_in here_at, there_at;
	int fd = bound(SOCK_DGRAM, &here_at), other = bound(SOCK_DGRAM, &there_at);
	check(connect(fd, (struct sockaddr *)&there_at, sizeof there_at) == 0);
	pthread_t t = spawn(receive_two, (void *)(long)fd);
	check(sendto(other, "x", 1, 0, (struct sockaddr *)&here_at, sizeof here_at) == 1);
	until_taken(fd);
	close(other);
	check(send(fd, "y", 1, 0) == 1);
	join(t);
	close(fd);
}

/* ---- A descriptor with the later bytes ---- */

static void *receive_descriptor(void *arg)
{
	char bytes[4];
	union {
		char room[CMSG_SPACE(sizeof(int))];
		struct cmsghdr head;
	} c;
	struct iovec part = {bytes, sizeof bytes};
	struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &c, .msg_controllen = sizeof c};
	ssize_t n = recvmsg((int)(long)arg, &m, MSG_WAITALL);
	struct cmsghdr *head = CMSG_FIRSTHDR(&m);
	printf("recvmsg: %zd %s\n", n, head && head->cmsg_type == SCM_RIGHTS ? "and a descriptor" : "");
	return NULL;
}

static void pass_late(void)
{
	int fd[2];
	struct carrier c;
	stream_pair(fd);
	pthread_t t = spawn(receive_descriptor, (void *)(long)fd[0]);
	write_all(fd[1], "a", 1);
	until_taken(fd[0]);
	check(sendmsg(fd[1], carry(&c, "b", 1, STDIN_FILENO), 0) == 1);
	join(t);
}

int main(void)
{
	int fd[2];
	char twos = 0, buffer[4096];
	struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
	sem_init(&here, 0, 0);
	pthread_t idle = spawn(parked_until, &here);
	report_threads();
	check(sigaction(SIGUSR1, &action, NULL) == 0);
	by_handler("pipe", make_pipe);
	by_handler("unix", stream_pair);
	by_handler("tcp", tcp_pair);

	stream_pair(fd);
	pthread_t t = spawn(receive_all, (void *)(long)fd[0]);
	write_all(fd[1], "abc", 3);
	until_taken(fd[0]);
	interrupt(t);

	interrupt(spawn(send_two, (void *)(long)fd[1]));
	shutdown(fd[1], SHUT_WR);
	for (ssize_t n; (n = read(fd[0], buffer, sizeof buffer)) > 0;)
		for (ssize_t i = 0; i < n; i++)
			twos |= buffer[i];
	printf("nothing of the second: %d\n", twos == 0);

	reset("");
	reset("67890");
	refuse();
	pass_late();
	sem_post(&here);
	join(idle);
	return 0;
}
