/* O_NONBLOCK: the program's own is honoured at once; it is never seen where the program did not set it. */
#include <sys/ioctl.h>

#include "twin.h"

static sem_t here;

static void *read_one(void *arg)
{
	char byte;
	sem_post(&here);
	check(read(*(int *)arg, &byte, 1) == 1);
	return NULL;
}

static bool nonblocking(int fd)
{
	int flags = fcntl(fd, F_GETFL);
	check(flags >= 0);
	return flags & O_NONBLOCK;
}

static void exercise(const char *what, int in, int out)
{
	char byte, block[4096] = {0};
	int on = 1, off = 0;
	printf("%s: %d %d\n", what, nonblocking(in), nonblocking(out));
	pthread_t t = spawn(read_one, &in);
	wait_for(&here);
	report_threads();
	printf("while a reader is parked: %d %d\n", nonblocking(in), nonblocking(out));
	check(write(out, "x", 1) == 1);
	join(t);
	printf("afterwards: %d %d\n", nonblocking(in), nonblocking(out));

	show(fcntl(in, F_SETFL, O_NONBLOCK));
	printf("set by F_SETFL: %d\n", nonblocking(in));
	show(read(in, &byte, 1));
	show(fcntl(in, F_SETFL, 0));
	printf("cleared by F_SETFL: %d\n", nonblocking(in));
	show(ioctl(out, FIONBIO, &on));
	printf("set by FIONBIO: %d\n", nonblocking(out));
	ssize_t n;
	while ((n = write(out, block, sizeof block)) > 0)
		;
	printf("full: %zd %s\n", n, strerrorname_np(errno));
	show(ioctl(out, FIONBIO, &off));
	printf("cleared by FIONBIO: %d\n", nonblocking(out));
	close(in);
	close(out);
}

int main(void)
{
	int fd[2];
	sem_init(&here, 0, 0);
	check(pipe(fd) == 0);
	exercise("pipe", fd[0], fd[1]);
	stream_pair(fd);
	exercise("socketpair", fd[0], fd[1]);
	tcp_pair(fd);
	exercise("tcp", fd[0], fd[1]);

	check(pipe2(fd, O_NONBLOCK) == 0);
	printf("pipe2: %d %d\n", nonblocking(fd[0]), nonblocking(fd[1]));
	char byte;
	show(read(fd[0], &byte, 1));
	check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd) == 0);
	printf("SOCK_NONBLOCK: %d %d\n", nonblocking(fd[0]), nonblocking(fd[1]));
	show(recv(fd[0], &byte, 1, 0));

	/* The flag lies on the open file description, which a duplicate shares. */
	stream_pair(fd);
	int copy = dup(fd[0]);
	show(fcntl(copy, F_SETFL, O_NONBLOCK));
	printf("set on a duplicate: %d\n", nonblocking(fd[0]));
	show(read(fd[0], &byte, 1));
	return 0;
}
