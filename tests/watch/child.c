/* A forked child answers for itself: the parent says "ready" with the child's number, and ends with it. */
#include <pthread.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static void *sleeper(void *arg)
{
	sleep(1000);
	return arg;
}

static void *of_the_child(void *arg)
{
	char byte;
	printf("ready %d\n", getpid());
	fflush(stdout);
	return read(STDIN_FILENO, &byte, 1) == 1 ? arg : NULL;
}

int main(void)
{
	pthread_t id;
	if (pthread_create(&id, NULL, sleeper, NULL))
		return 1;
	usleep(1);
	pid_t child = fork();
	if (child == 0) {
		if (pthread_create(&id, NULL, of_the_child, NULL))
			return 1;
		pthread_join(id, NULL);
		return 0;
	}
	int status = 1;
	waitpid(child, &status, 0);
	return status != 0;
}
