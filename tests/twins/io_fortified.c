/* The fortified names that -D_FORTIFY_SOURCE makes of read, recv, recvfrom, poll and ppoll: they park as the plain ones
 * do. */
#include <poll.h>
#include <sys/stat.h>

#include "twin.h"

static int fd[2];
static sem_t here;
/* What the compiler cannot know it leaves to the fortified function to check. */
static volatile size_t n = 10;

static void *by_read(void *arg)
{
	char buffer[16] = "";
	sem_post(&here);
	check(read(fd[0], buffer, n) == 1);
	printf("read %s\n", buffer);
	return arg;
}

static void *by_recv(void *arg)
{
	char buffer[16] = "";
	sem_post(&here);
	check(recv(fd[0], buffer, n, 0) == 1);
	printf("recv %s\n", buffer);
	return arg;
}

static void *by_recvfrom(void *arg)
{
	char buffer[16] = "";
	sem_post(&here);
	check(recvfrom(fd[0], buffer, n, 0, NULL, NULL) == 1);
	printf("recvfrom %s\n", buffer);
	return arg;
}

static void *by_poll(void *arg)
{
	struct pollfd p[10] = {{.fd = fd[0], .events = POLLIN}};
	for (size_t i = 1; i < n; i++)
		p[i].fd = -1;
	sem_post(&here);
	int ready = arg ? ppoll(p, n, NULL, NULL) : poll(p, n, -1);
	printf("%s %d\n", arg ? "ppoll" : "poll", ready);
	check(read(fd[0], &(char){0}, 1) == 1);
	return NULL;
}

/* What the compiler knows nothing of goes to __open_2. */
static volatile int reading = O_RDONLY;

static void *by_open(void *arg)
{
	sem_post(&here);
	int opened = arg ? openat(AT_FDCWD, "fifo", reading) : open("fifo", reading);
	check(opened >= 0);
	close(opened);
	return NULL;
}

static void fifos(void)
{
	check(mkfifo("fifo", 0600) == 0);
	for (long i = 0; i < 2; i++) {
		pthread_t t = spawn(by_open, (void *)i);
		wait_for(&here);
		int writing = open("fifo", O_WRONLY);
		check(writing >= 0);
		join(t);
		close(writing);
	}
	unlink("fifo");
	puts("opened");
}

static void with(void *(*how)(void *), void *arg)
{
	pthread_t t = spawn(how, arg);
	wait_for(&here);
	report_threads();
	check(write(fd[1], "x", 1) == 1);
	join(t);
}

int main(void)
{
	sem_init(&here, 0, 0);
	stream_pair(fd);
	with(by_read, NULL);
	with(by_recv, NULL);
	with(by_recvfrom, NULL);
	with(by_poll, NULL);
	with(by_poll, (void *)1);
	fifos();
	fflush(stdout);

	/* And they do check: too much for the buffer ends the program. */
	char small[4];
	n = 100;
	check(write(fd[1], "overflow", 8) == 8);
	return (int)read(fd[0], small, n);
}
