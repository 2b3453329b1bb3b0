/* splice, tee and vmsplice: between pipes, sockets and files, with threads at both ends. */
#include <sys/uio.h>

#include "twin.h"

enum { SIZE = 2 << 20 };

static sem_t here;

static unsigned char byte_at(size_t i)
{
	return (unsigned char)(i * 5 + i / 253);
}

struct flow {
	int in, out;
	size_t sum;
};

static void *pump(void *arg)
{
	struct flow *f = arg;
	ssize_t n;
	sem_post(&here);
	while ((n = splice(f->in, NULL, f->out, NULL, 1 << 16, SPLICE_F_MOVE)) > 0)
		f->sum += (size_t)n;
	check(n == 0);
	close(f->in);
	close(f->out);
	return NULL;
}

static void *feed(void *arg)
{
	int fd = (int)(long)arg;
	unsigned char *data = malloc(SIZE);
	for (size_t i = 0; i < SIZE; i++)
		data[i] = byte_at(i);
	write_all(fd, data, SIZE);
	free(data);
	close(fd);
	return NULL;
}

static size_t drain(int fd)
{
	static unsigned char buf[40000];
	size_t sum = 0;
	ssize_t n;
	while ((n = read(fd, buf, sizeof buf)) > 0)
		for (ssize_t i = 0; i < n; i++, sum++)
			check(buf[i] == byte_at(sum));
	close(fd);
	return sum;
}

/* source -> pump -> pipe -> pump -> sink, where source and sink are of that kind. */
static void through(const char *what, void (*make)(int fd[2]))
{
	int source[2], middle[2], sink[2];
	make(source);
	check(pipe(middle) == 0);
	make(sink);
	struct flow first = {source[0], middle[1], 0}, second = {middle[0], sink[1], 0};
	pthread_t a = spawn(pump, &first), b = spawn(pump, &second);
	wait_for(&here);
	wait_for(&here);
	report_threads();
	pthread_t f = spawn(feed, (void *)(long)source[1]);
	size_t sum = drain(sink[0]);
	join(a);
	join(b);
	join(f);
	printf("%s: %zu, %zu, %zu\n", what, first.sum, second.sum, sum);
}

static void make_pipe(int fd[2])
{
	check(pipe(fd) == 0);
}

static void *tee_some(void *arg)
{
	const int *fd = arg;
	sem_post(&here);
	return (void *)(long)tee(fd[0], fd[1], 100, 0);
}

static void tees(void)
{
	int a[2], b[2];
	char buf[10] = "";
	check(pipe(a) == 0 && pipe(b) == 0);
	pthread_t t = spawn(tee_some, (int[]){a[0], b[1]});
	wait_for(&here);
	write_all(a[1], "tea", 3);
	printf("tee %ld\n", (long)join(t));
	read_all(a[0], buf, 3);
	read_all(b[0], buf + 3, 3);
	puts(buf);
	show(tee(a[0], b[1], 10, SPLICE_F_NONBLOCK));
	show(tee(a[0], a[1], 10, 0));
	show(splice(a[0], NULL, b[1], NULL, 10, SPLICE_F_NONBLOCK));
	show(splice(a[0], &(off_t){0}, b[1], NULL, 10, 0));
	fcntl(a[0], F_SETFL, O_NONBLOCK);
	show(splice(a[0], NULL, b[1], NULL, 10, 0));
	show(splice(-1, NULL, b[1], NULL, 10, 0));
	close(a[1]);
	show(splice(a[0], NULL, b[1], NULL, 10, 0));
	show(tee(a[0], b[1], 10, 0));
	close(a[0]);
	close(b[0]);
	close(b[1]);
}

static void *take(void *arg)
{
	char buf[10] = "";
	struct iovec v = {buf, 5};
	sem_post(&here);
	check(vmsplice((int)(long)arg, &v, 1, 0) == 5);
	puts(buf);
	return NULL;
}

static void *give(void *arg)
{
	static char data[1000] = "x";
	struct iovec v = {data, sizeof data};
	sem_post(&here);
	return (void *)(long)vmsplice((int)(long)arg, &v, 1, 0);
}

static void vmsplices(void)
{
	int fd[2];
	check(pipe(fd) == 0);
	struct iovec v = {(void *)"gifts", 5};
	pthread_t t = spawn(take, (void *)(long)fd[0]);
	wait_for(&here);
	check(vmsplice(fd[1], &v, 1, 0) == 5);
	join(t);

	/* Full, until somebody reads. */
	static char page[1 << 16];
	fcntl(fd[1], F_SETFL, O_NONBLOCK);
	while (write(fd[1], page, sizeof page) > 0)
		;
	fcntl(fd[1], F_SETFL, 0);
	show(vmsplice(fd[1], &v, 1, SPLICE_F_NONBLOCK));
	t = spawn(give, (void *)(long)fd[1]);
	wait_for(&here);
	read_all(fd[0], page, 8192);
	printf("given %ld\n", (long)join(t));
	close(fd[0]);
	close(fd[1]);
}

static void from_file(void)
{
	int fd[2], file = open("file", O_RDWR | O_CREAT, 0600);
	char buf[5] = "";
	off_t at = 3;
	check(pipe(fd) == 0);
	write_all(file, "0123456789", 10);
	show(splice(file, &at, fd[1], NULL, 4, 0));
	printf("at %ld\n", (long)at);
	at = 100;
	show(splice(fd[0], NULL, file, &at, 4, 0));
	show(pread(file, buf, 4, 100));
	puts(buf);
	close(file);
	unlink("file");
	close(fd[0]);
	close(fd[1]);
}

int main(void)
{
	sem_t go;
	sem_init(&here, 0, 0);
	sem_init(&go, 0, 0);
	pthread_t parked = spawn(parked_until, &go);
	through("pipe", make_pipe);
	through("socket", stream_pair);
	through("tcp", tcp_pair);
	tees();
	vmsplices();
	from_file();
	sem_post(&go);
	join(parked);
	return 0;
}
