/* A daemon's habit: closes every descriptor from 3 on while threads live. Argument: loop, range, from or dup. */
#include <sys/syscall.h>

#include "twin.h"

static sem_t here, go;

static void *park(void *arg)
{
	sem_post(&here);
	wait_for(&go);
	usleep(1000);
	return arg;
}

static void *echo(void *arg)
{
	char byte;
	int fd = *(int *)arg;
	sem_post(&here);
	while (read(fd, &byte, 1) == 1)
		check(write(fd, &byte, 1) == 1);
	return NULL;
}

static int close_all(const char *how)
{
	int closed = 0;
	if (!strcmp(how, "loop"))
		for (int fd = 3; fd < 70000; fd++)
			closed += close(fd) == 0;
	else if (!strcmp(how, "range"))
		check(close_range(3, ~0U, 0) == 0);
	else if (!strcmp(how, "from"))
		closefrom(3);
	else
		for (int fd = 3; fd < 1100; fd++)
			closed += dup2(2, fd) == fd && close(fd) == 0;
	/* A few numbers may belong to somebody who does not give them away. */
	return closed > 1000 ? 1000 : closed;
}

static void talk(void)
{
	int fd[2];
	char byte;
	tcp_pair(fd);
	printf("descriptors %d and %d\n", fd[0], fd[1]);
	pthread_t t = spawn(echo, &fd[1]);
	wait_for(&here);
	for (int i = 0; i < 100; i++)
		check(send(fd[0], "x", 1, 0) == 1 && recv(fd[0], &byte, 1, 0) == 1);
	close(fd[0]);
	join(t);
	close(fd[1]);
}

int main(int argc, char **argv)
{
	pthread_t t[5];
	check(argc == 2);
	sem_init(&here, 0, 0);
	sem_init(&go, 0, 0);
	for (int i = 0; i < 5; i++)
		t[i] = spawn(park, NULL);
	for (int i = 0; i < 5; i++)
		wait_for(&here);
	talk();
	int left[2];
	stream_pair(left);
	printf("closed %d\n", close_all(argv[1]));
	talk();
	printf("closed again %d\n", close_all(argv[1]));
	report_threads();
	for (int i = 0; i < 5; i++)
		sem_post(&go);
	for (int i = 0; i < 5; i++)
		join(t[i]);
	talk();
	return 0;
}
