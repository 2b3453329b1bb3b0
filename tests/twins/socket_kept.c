/* A connection that has been read time and again, and then in another way: what has come is never waited for in vain. */
#include "twin.h"

#include <poll.h>
#include <sys/ioctl.h>

static sem_t here;
static int fd[2];

/* How what comes next is sent. */
static void put(const char *how)
{
	if (strcmp(how, "marked") == 0) {
		write_all(fd[1], "he", 2);
		check(send(fd[1], "!", 1, MSG_OOB) == 1);
		write_all(fd[1], "llo", 3);
		return;
	}
	write_all(fd[1], "hello", 5);
	if (strcmp(how, "ended") == 0)
		check(shutdown(fd[1], SHUT_WR) == 0);
}

static void take(size_t n, int flags)
{
	char buffer[16] = "";
	ssize_t got = recv(fd[0], buffer, n, flags);
	printf(" %zd %s", got, got < 0 ? strerrorname_np(errno) : buffer);
}

static void *read_it(void *arg)
{
	const char *way = arg;
	struct pollfd p = {.fd = fd[0], .events = POLLIN};
	char buffer[16];
	for (int i = 0; i < 10; i++) {
		check(recv(fd[0], buffer, sizeof buffer, 0) == 5);
		write_all(fd[0], buffer, 5);
	}
	sem_post(&here);
	for (int come = 0; strstr(way, "late") && come == 0; usleep(1000))
		check(ioctl(fd[0], FIONREAD, &come) == 0);
	if (strstr(way, "peek"))
		take(3, MSG_PEEK);
	if (strstr(way, "poll"))
		printf(" poll %d", poll(&p, 1, -1));
	if (strstr(way, "fault"))
		printf(" %zd", recv(fd[0], (void *)(uintptr_t)1, 16, 0));
	if (strstr(way, "little"))
		take(1, 0);
	if (strstr(way, "message")) {
		struct iovec v = {buffer, 4};
		struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1};
		printf(" message %zd", recvmsg(fd[0], &m, 0));
	}
	take(16, 0);
	return NULL;
}

static void *read_after(void *arg)
{
	take(16, 0);
	return NULL;
}

/* One thread reads until it waits for more, and then perhaps another. */
static void with(const char *how, const char *way)
{
	char buffer[16];
	printf("%s, %s:", how, way);
	tcp_pair(fd);
	pthread_t t = spawn(read_it, (void *)(uintptr_t)way);
	for (int i = 0; i < 10; i++) {
		write_all(fd[1], "usual", 5);
		check(recv(fd[1], buffer, 5, MSG_WAITALL) == 5);
	}
	wait_for(&here);
	if (strstr(way, "cancelled")) {
		pthread_cancel(t);
		join(t);
		t = spawn(read_after, NULL);
	}
	put(how);
	join(t);
	if (strcmp(how, "marked") == 0)
		join(spawn(read_after, NULL));
	for (int again = 0; again < 2 && strcmp(how, "ended") == 0; again++)
		join(spawn(read_after, NULL));
	puts("");
	close(fd[0]);
	close(fd[1]);
}

int main(void)
{
	static const char *const ways[] = {"soon",   "late",    "late peek",    "poll",      "late poll", "fault",
					   "little", "message", "late message", "cancelled", "late fault"};
	sem_t end;
	sem_init(&here, 0, 0);
	sem_init(&end, 0, 0);
	pthread_t idle = spawn(parked_until, &end);
	report_threads();
	for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
		with("plain", ways[i]);
		with("ended", ways[i]);
	}
	with("marked", "soon");
	with("marked", "late");
	sem_post(&end);
	join(idle);
	return 0;
}
