/* A thread that looks a name up, and one that waits for the lock of a file. Ends when its standard input does. */
#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

static void *lookup(void *arg)
{
	struct addrinfo *list;
	return getaddrinfo("no.such.host.example", "80", NULL, &list) == 0 ? arg : NULL;
}

/* Two descriptions of one file: the second waits for the first. */
static void *lock(void *arg)
{
	int held = open("/proc/self/exe", O_RDONLY), wanted = open("/proc/self/exe", O_RDONLY);
	if (flock(held, LOCK_EX) == 0)
		flock(wanted, LOCK_EX);
	return arg;
}

int main(void)
{
	pthread_t id;
	if (pthread_create(&id, NULL, lookup, NULL) || pthread_create(&id, NULL, lock, NULL))
		return 1;
	usleep(1);
	printf("ready %d\n", getpid());
	fflush(stdout);
	char byte;
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
	_exit(0);
}
