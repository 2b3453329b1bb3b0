/* sendfile to sockets and pipes that are full while another thread empties them; the file's offset, or the caller's, afterwards; a peer
 * that goes; a timeout; what it refuses. */
#include <signal.h>
#include <sys/sendfile.h>
#include <sys/time.h>

#include "twin.h"

enum { SIZE = 3 << 20 };

static sem_t here;
static int file;

struct job {
	int fd;
	bool own_offset;
	off_t from;
	size_t count;
	ssize_t result;
	int error;
	off_t after;
};

static void *send_it(void *arg)
{
	struct job *j = arg;
	off_t at = j->from;
	if (!j->own_offset)
		check(lseek(file, j->from, SEEK_SET) == j->from);
	sem_post(&here);
	j->result = sendfile(j->fd, file, j->own_offset ? &at : NULL, j->count);
	j->error = errno;
	j->after = j->own_offset ? at : lseek(file, 0, SEEK_CUR);
	close(j->fd);
	return NULL;
}

static unsigned char byte_at(size_t i)
{
	return (unsigned char)(i * 7 + i / 251);
}

static void transfer(const char *what, int in, struct job j)
{
	static unsigned char buf[50000];
	size_t sum = 0;
	ssize_t n;
	pthread_t t = spawn(send_it, &j);
	wait_for(&here);
	report_threads();
	while ((n = read(in, buf, sizeof buf)) > 0)
		for (ssize_t i = 0; i < n; i++, sum++)
			check(buf[i] == byte_at((size_t)j.from + sum));
	join(t);
	close(in);
	printf("%s: sent %zd, came %zu, offset %ld\n", what, j.result, sum, (long)j.after);
}

/* The peer reads some and goes. */
static void broken(void)
{
	int fd[2];
	char buf[1000];
	stream_pair(fd);
	struct job j = {.fd = fd[0], .count = SIZE};
	signal(SIGPIPE, SIG_IGN);
	pthread_t t = spawn(send_it, &j);
	wait_for(&here);
	read_all(fd[1], buf, sizeof buf);
	close(fd[1]);
	join(t);
	check(j.result > 0 && j.result < SIZE && j.after == j.result);
	puts("a part was sent");
	stream_pair(fd);
	close(fd[1]);
	j = (struct job){.fd = fd[0], .count = SIZE};
	join(spawn(send_it, &j));
	wait_for(&here);
	printf("%zd %s\n", j.result, strerrorname_np(j.error));
}

static void timed(void)
{
	int fd[2];
	struct timeval little = {.tv_usec = 20000};
	stream_pair(fd);
	check(setsockopt(fd[0], SOL_SOCKET, SO_SNDTIMEO, &little, sizeof little) == 0);
	struct job j = {.fd = fd[0], .count = SIZE};
	join(spawn(send_it, &j));
	wait_for(&here);
	check(j.result > 0 && j.result < SIZE && j.after == j.result);
	puts("a part until the timeout");
	close(fd[1]);
}

static void refused(void)
{
	int fd[2], readable = open("file", O_RDONLY), directory = open(".", O_RDONLY);
	off_t bad = -5;
	stream_pair(fd);
	show(sendfile(fd[0], -1, NULL, 10));
	show(sendfile(-1, file, NULL, 10));
	show(sendfile(fd[0], directory, NULL, 10));
	show(sendfile(fd[0], fd[1], NULL, 10));
	show(sendfile(readable, file, NULL, 10));
	show(sendfile(fd[0], file, &bad, 10));
	show(sendfile(fd[0], file, NULL, 0));
	check(lseek(file, 0, SEEK_END) == SIZE);
	show(sendfile(fd[0], file, NULL, 10));
	fcntl(fd[0], F_SETFL, O_NONBLOCK);
	off_t at = 0;
	ssize_t n;
	while ((n = sendfile(fd[0], file, &at, 1 << 20)) > 0)
		;
	printf("full: %zd %s\n", n, strerrorname_np(errno));
	close(fd[0]);
	close(fd[1]);
	close(readable);
	close(directory);
}

int main(void)
{
	sem_t go;
	int fd[2];
	sem_init(&here, 0, 0);
	sem_init(&go, 0, 0);
	unsigned char *data = malloc(SIZE);
	for (size_t i = 0; i < SIZE; i++)
		data[i] = byte_at(i);
	file = open("file", O_RDWR | O_CREAT, 0600);
	write_all(file, data, SIZE);
	free(data);
	pthread_t parked = spawn(parked_until, &go);

	stream_pair(fd);
	transfer("socket", fd[1], (struct job){.fd = fd[0], .count = SIZE});
	tcp_pair(fd);
	transfer("tcp", fd[1], (struct job){.fd = fd[0], .own_offset = true, .from = 12345, .count = SIZE});
	check(pipe(fd) == 0);
	transfer("pipe", fd[0], (struct job){.fd = fd[1], .from = 777, .count = SIZE - 1000});
	tcp_pair(fd);
	transfer("a little", fd[1], (struct job){.fd = fd[0], .from = 10, .count = 100});
	broken();
	timed();
	refused();
	close(file);
	unlink("file");
	sem_post(&go);
	join(parked);
	return 0;
}
