/* Writing with no reader left, also found out while parked. Argument: ignore (EPIPE) or die (SIGPIPE ends the
 * program). */
#include <signal.h>

#include "twin.h"

static sem_t here;

static void *fill(void *arg)
{
	static char block[4 << 20];
	int fd = *(int *)arg;
	sem_post(&here);
	ssize_t n;
	do
		n = write(fd, block, sizeof block);
	while (n > 0);
	printf("while parked: %zd %s\n", n, strerrorname_np(errno));
	fflush(stdout);
	return NULL;
}

static void close_under_writer(int fd[2])
{
	char byte;
	pthread_t t = spawn(fill, &fd[1]);
	wait_for(&here);
	check(read(fd[0], &byte, 1) == 1);
	report_threads();
	close(fd[0]);
	join(t);
	close(fd[1]);
}

int main(int argc, char **argv)
{
	int fd[2];
	check(argc == 2);
	sem_init(&here, 0, 0);
	if (!strcmp(argv[1], "die")) {
		check(pipe(fd) == 0);
		puts("about to die");
		fflush(stdout);
		close_under_writer(fd);
		puts("not dead");
		return 0;
	}
	signal(SIGPIPE, SIG_IGN);
	check(pipe(fd) == 0);
	close_under_writer(fd);
	stream_pair(fd);
	close_under_writer(fd);

	check(pipe(fd) == 0);
	close(fd[0]);
	show(write(fd[1], "x", 1));
	stream_pair(fd);
	close(fd[0]);
	show(write(fd[1], "x", 1));
	show(send(fd[1], "x", 1, 0));
	signal(SIGPIPE, SIG_DFL);
	show(send(fd[1], "x", 1, MSG_NOSIGNAL));
	return 0;
}
