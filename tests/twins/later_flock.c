/* A thread parks in flock for a lock that another thread of the program holds on another description. */
#include <sys/file.h>

#include "twin.h"

static sem_t here;

static void *lock_it(void *arg)
{
	int fd = open("file", O_RDWR);
	sem_post(&here);
	check(flock(fd, LOCK_EX) == 0);
	close(fd);
	return arg;
}

int main(void)
{
	int fd = open("file", O_RDWR | O_CREAT, 0600);
	sem_init(&here, 0, 0);
	check(flock(fd, LOCK_EX) == 0);
	pthread_t t = spawn(lock_it, NULL);
	wait_for(&here);
	report_threads();
	check(flock(fd, LOCK_UN) == 0);
	join(t);
	check(unlink("file") == 0);
	puts("locked by both in turn");
	return 0;
}
