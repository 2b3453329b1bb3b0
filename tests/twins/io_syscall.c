/* The calls by their numbers, syscall(2): they park as the functions do, and what they do to numbers is not missed. */
#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "twin.h"

static int fd[2];
static sem_t here;

static void *receive(void *arg)
{
	char buf[10];
	struct iovec v = {buf, sizeof buf};
	struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1};
	sem_post(&here);
	switch ((long)arg) {
	case 0:
		return (void *)syscall(SYS_read, fd[0], buf, sizeof buf);
	case 1:
		return (void *)syscall(SYS_recvfrom, fd[0], buf, sizeof buf, 0, NULL, NULL);
	case 2:
		return (void *)syscall(SYS_readv, fd[0], &v, 1);
	case 3:
		return (void *)syscall(SYS_recvmsg, fd[0], &m, 0);
	default:
		return (void *)(long)(syscall(SYS_read, fd[0], buf, sizeof buf) < 0 ? errno : 0);
	}
}

static void transfers(void)
{
	for (long i = 0; i < 4; i++) {
		pthread_t t = spawn(receive, (void *)i);
		wait_for(&here);
		if (i == 0)
			report_threads();
		check(syscall(i % 2 ? SYS_write : SYS_sendto, fd[1], "hello", 5, 0, NULL, 0) == 5);
		printf("%ld\n", (long)join(t));
	}
}

static void *take(void *arg)
{
	sem_post(&here);
	return (void *)syscall(SYS_accept4, (int)(long)arg, NULL, NULL, 0);
}

static void connections(void)
{
	struct sockaddr_in address;
	int listening = tcp_listener(&address), c = (int)syscall(SYS_socket, AF_INET, SOCK_STREAM, 0);
	pthread_t t = spawn(take, (void *)(long)listening);
	wait_for(&here);
	check(syscall(SYS_connect, c, &address, sizeof address) == 0);
	int conn = (int)(long)join(t);
	check(conn >= 0);
	check(syscall(SYS_close, conn) == 0);
	check(read(c, &(char){0}, 1) == 0);
	/* A number that was a stream's and is a file's now. */
	check(syscall(SYS_close, c) == 0);
	int file = open("/dev/zero", O_RDONLY);
	check(file == c && read(file, &(char){0}, 1) == 1);
	close(file);
	close(listening);
}

/* Replaced while somebody waits for it: he goes on waiting for what he has, or is told; in no case does he read the new one. */
static void numbers(void)
{
	int other[2], copy = (int)syscall(SYS_dup, fd[0]);
	check(copy >= 0 && syscall(SYS_dup3, copy, 200, 0) == 200);
	check(write(fd[1], "x", 1) == 1 && read(200, &(char){0}, 1) == 1);
	check(pipe(other) == 0);
	check(syscall(SYS_dup3, other[0], 200, 0) == 200);
	check(write(other[1], "y", 1) == 1 && read(200, &(char){0}, 1) == 1);
	check(syscall(SYS_close_range, 200, 200, 0) == 0);
	show(read(200, &(char){0}, 1));
	close(copy);
	close(other[0]);
	close(other[1]);
}

static void *reap(void *arg)
{
	int status = 0;
	sem_post(&here);
	check(syscall(SYS_wait4, (pid_t)(long)arg, &status, 0, NULL) == (pid_t)(long)arg);
	return (void *)(long)WEXITSTATUS(status);
}

static void children(void)
{
	pid_t pid = fork();
	if (pid == 0) {
		close(fd[1]);
		_exit(read(fd[0], &(char){0}, 1) == 1 ? 6 : 1);
	}
	pthread_t t = spawn(reap, (void *)(long)pid);
	wait_for(&here);
	check(write(fd[1], "x", 1) == 1);
	printf("child: %ld\n", (long)join(t));
}

int main(void)
{
	sem_t go;
	sem_init(&here, 0, 0);
	sem_init(&go, 0, 0);
	stream_pair(fd);
	pthread_t parked = spawn(parked_until, &go);
	transfers();
	connections();
	numbers();
	children();
	sem_post(&go);
	join(parked);
	return 0;
}
