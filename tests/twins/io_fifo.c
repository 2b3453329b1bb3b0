/* A named FIFO: open parks until the other side is there, for either side; end of file when the last writer goes. */
#include <sys/stat.h>

#include "twin.h"

static sem_t here;

static void *reader(void *arg)
{
	char line[100];
	sem_post(&here);
	int fd = open("fifo", O_RDONLY);
	check(fd >= 0);
	ssize_t n;
	long total = 0;
	while ((n = read(fd, line, sizeof line)) > 0)
		total += n;
	check(n == 0);
	close(fd);
	return (void *)total;
}

static void *writer(void *arg)
{
	sem_post(&here);
	int fd = arg ? creat("fifo", 0600) : openat(AT_FDCWD, "fifo", O_WRONLY);
	check(fd >= 0);
	static char block[200000];
	check(write(fd, block, sizeof block) == sizeof block);
	close(fd);
	return arg;
}

int main(void)
{
	char block[65536];
	sem_init(&here, 0, 0);
	check(mkfifo("fifo", 0600) == 0);
	show(open("fifo", O_WRONLY | O_NONBLOCK));

	pthread_t t = spawn(reader, NULL);
	wait_for(&here);
	report_threads();
	int fd = open("fifo", O_WRONLY);
	check(fd >= 0 && write(fd, "hello", 5) == 5);
	close(fd);
	printf("reader had %ld\n", (long)join(t));

	t = spawn(writer, NULL);
	wait_for(&here);
	fd = open("fifo", O_RDONLY);
	check(fd >= 0);
	long total = 0, n;
	while ((n = read(fd, block, sizeof block)) > 0)
		total += n;
	printf("read %ld, then %ld\n", total, n);
	join(t);
	close(fd);

	pthread_t w = spawn(writer, (void *)1);
	wait_for(&here);
	pthread_t r = spawn(reader, NULL);
	join(w);
	printf("two threads: %ld\n", (long)join(r));
	check(unlink("fifo") == 0);
	show(open("fifo", O_RDONLY));
	return 0;
}
