/* A thread parks in waitpid for a child that ends when another thread tells it to. */
#include <sys/wait.h>

#include "twin.h"

static sem_t here;

static void *wait_child(void *arg)
{
	int status;
	sem_post(&here);
	check(waitpid((pid_t)(long)arg, &status, 0) == (pid_t)(long)arg);
	return (void *)(long)WEXITSTATUS(status);
}

int main(void)
{
	int fd[2];
	sem_init(&here, 0, 0);
	stream_pair(fd);
	pid_t pid = fork();
	if (pid == 0) {
		char byte;
		close(fd[1]);
		_exit(read(fd[0], &byte, 1) == 1 ? byte : 0);
	}
	close(fd[0]);
	pthread_t t = spawn(wait_child, (void *)(long)pid);
	wait_for(&here);
	report_threads();
	check(write(fd[1], "\007", 1) == 1);
	printf("the child ended with %ld\n", (long)join(t));
	return 0;
}
