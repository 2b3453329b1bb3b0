/* preadv2 and pwritev2 at offset -1, which read and write streams too; pread and pwrite, which never do. */
#include <sys/uio.h>

#include "twin.h"

static int pipe_fd[2], pair[2];
static sem_t here;

static void *read_from(void *arg)
{
	char a[3] = "", b[10] = "";
	struct iovec v[2] = {{a, 2}, {b, 9}};
	sem_post(&here);
	check(preadv2((int)(long)arg, v, 2, -1, 0) == 5);
	printf("%s %s\n", a, b);
	return NULL;
}

/* More than fits: until all is written. */
static void *write_much(void *arg)
{
	enum { SIZE = 1 << 20 };
	char *data = calloc(1, SIZE);
	struct iovec v[2] = {{data, 1000}, {data + 1000, SIZE - 1000}};
	sem_post(&here);
	check(pwritev2((int)(long)arg, v, 2, -1, RWF_DSYNC) == SIZE);
	close((int)(long)arg);
	free(data);
	return NULL;
}

static void reads(int in, int out)
{
	pthread_t t = spawn(read_from, (void *)(long)in);
	struct iovec v = {(void *)"hello", 5};
	wait_for(&here);
	report_threads();
	check(pwritev2(out, &v, 1, -1, 0) == 5);
	join(t);
}

static void writes(int in, int out)
{
	static char buf[30000];
	ssize_t n, sum = 0;
	pthread_t t = spawn(write_much, (void *)(long)out);
	wait_for(&here);
	while ((n = read(in, buf, sizeof buf)) > 0)
		sum += n;
	join(t);
	printf("%zd bytes\n", sum);
	close(in);
}

static void at_once(void)
{
	char buf[10];
	struct iovec v = {buf, sizeof buf};
	show(preadv2(pipe_fd[0], &v, 1, -1, RWF_NOWAIT));
	show(preadv2(pair[0], &v, 1, -1, RWF_NOWAIT));
	show(preadv2(pair[0], &v, 1, 0, 0));
	show(preadv2(pipe_fd[0], &v, 1, 0, 0));
	show(pwritev2(pipe_fd[0], &v, 1, -1, 0));
	show(pread(pipe_fd[0], buf, 1, 0));
	show(pwrite(pipe_fd[1], buf, 1, 0));
	show(pread(pair[0], buf, 1, 0));
	show(preadv(pair[0], &v, 1, 0));
	show(pwritev(pair[0], &v, 1, 0));
	int file = open("file", O_RDWR | O_CREAT, 0600);
	show(pwritev2(file, &v, 1, -1, RWF_DSYNC));
	show(preadv2(file, &v, 1, -1, 0));
	show(preadv2(file, &v, 1, 0, 0));
	show(lseek(file, 0, SEEK_CUR));
	show(preadv2(file, &v, 1, -1, 0x40000000));
	close(file);
	unlink("file");
}

int main(void)
{
	sem_t go;
	sem_init(&here, 0, 0);
	sem_init(&go, 0, 0);
	check(pipe(pipe_fd) == 0);
	stream_pair(pair);
	pthread_t parked = spawn(parked_until, &go);
	reads(pipe_fd[0], pipe_fd[1]);
	reads(pair[0], pair[1]);
	at_once();
	writes(pipe_fd[0], pipe_fd[1]);
	writes(pair[0], pair[1]);
	sem_post(&go);
	join(parked);
	return 0;
}
