/* Regular files, /dev/null and /dev/zero, while another thread is parked: positions, end of file, vectors, errors. */
#include <sys/uio.h>

#include "twin.h"

static int gate[2];

static void *parked(void *arg)
{
	char byte;
	check(read(gate[0], &byte, 1) == 1);
	return arg;
}

/* The error is what it returns, and errno is left alone (posix_fallocate(3)). */
static void allocate(void)
{
	int fd = open("allocated", O_RDWR | O_CREAT | O_TRUNC, 0600), reader = open("allocated", O_RDONLY), pipes[2];
	check(fd >= 0 && reader >= 0 && pipe(pipes) == 0);
	errno = E2BIG;
	show_error(posix_fallocate(fd, 100, 900));
	show_error(posix_fallocate(fd, 10, 20));
	show_error(posix_fallocate64(fd, 0, 2000));
	show_error(posix_fallocate(fd, -1, 1));
	show_error(posix_fallocate(fd, 0, 0));
	show_error(posix_fallocate(fd, 0, -1));
	show_error(posix_fallocate(fd, INT64_MAX, 1));
	show_error(posix_fallocate(reader, 0, 1));
	show_error(posix_fallocate(pipes[0], 0, 1));
	show_error(posix_fallocate(pipes[1], 0, 1));
	show_error(posix_fallocate(-1, 0, 1));
	printf("errno as it was: %d\n", errno == E2BIG);
	printf("long %ld\n", (long)lseek(fd, 0, SEEK_END));
	close(fd);
	close(reader);
	close(pipes[0]);
	close(pipes[1]);
	check(unlink("allocated") == 0);
}

int main(void)
{
	char buffer[100];
	volatile int negative = -1, too_many = 2000;
	struct iovec v[2] = {{buffer, 3}, {buffer + 10, 50}};
	struct iovec w[2] = {{(void *)"hello ", 6}, {(void *)"world\n", 6}};
	check(pipe(gate) == 0);
	pthread_t t = spawn(parked, NULL);
	report_threads();

	int fd = open("file", O_RDWR | O_CREAT | O_TRUNC, 0600);
	check(fd >= 0);
	show(write(fd, "0123456789", 10));
	show(writev(fd, w, 2));
	show(read(fd, buffer, sizeof buffer));
	show(lseek(fd, 2, SEEK_SET));
	show(read(fd, buffer, 4));
	show(lseek(fd, 0, SEEK_CUR));
	show(readv(fd, v, 2));
	printf("%.3s %.13s", buffer, buffer + 10);
	show(read(fd, buffer, 10));
	show(readv(fd, v, negative));
	show(readv(fd, v, 0));
	show(writev(fd, w, too_many));
	show(read(fd, NULL, 0));
	int append = open("file", O_WRONLY | O_APPEND);
	show(write(append, "end", 3));
	show(lseek(append, 0, SEEK_CUR));
	show(read(append, buffer, 1));
	show(read(open("/", O_RDONLY), buffer, 1));

	allocate();

	int null = open("/dev/null", O_RDWR), zero = open("/dev/zero", O_RDWR);
	show(read(null, buffer, 10));
	show(write(null, buffer, 10));
	memset(buffer, 1, sizeof buffer);
	show(read(zero, buffer, 10));
	printf("zeroes: %d\n", buffer[0] == 0 && buffer[9] == 0 && buffer[10] == 1);
	check(unlink("file") == 0);

	check(write(gate[1], "x", 1) == 1);
	join(t);
	return 0;
}
