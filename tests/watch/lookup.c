/* A thread that looks a name up. Ends when its standard input does. */
#include <netdb.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

static void *lookup(void *arg)
{
	struct addrinfo *list;
	return getaddrinfo("no.such.host.example", "80", NULL, &list) == 0 ? arg : NULL;
}

int main(void)
{
	pthread_t id;
	if (pthread_create(&id, NULL, lookup, NULL))
		return 1;
	usleep(1);
	printf("ready %d\n", getpid());
	fflush(stdout);
	char byte;
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
	_exit(0);
}
