/* host.c: what `gev run` starts in its test: says how it was started. Built twice, dynamically and statically linked.
 *
 * "threads" as the only argument: two threads, one that sleeps and one that does not, say in which order they run, and how big a
 * thread's stack is. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern char **environ;

static void *sleeps(void *arg)
{
	(void)arg;
	printf("sleeps ");
	usleep(1000);
	printf("woke ");
	return NULL;
}

static void *passes(void *arg)
{
	pthread_attr_t attr;
	size_t size = 0;
	printf("passes ");
	if (pthread_getattr_np(pthread_self(), &attr) == 0)
		pthread_attr_getstacksize(&attr, &size);
	pthread_attr_destroy(&attr);
	*(size_t *)arg = size;
	return NULL;
}

static void threads(void)
{
	pthread_t one, two;
	size_t size = 0;
	pthread_create(&one, NULL, sleeps, NULL);
	pthread_create(&two, NULL, passes, &size);
	pthread_join(one, NULL);
	pthread_join(two, NULL);
	printf("%zu\n", size);
}

int main(int argc, char **argv)
{
	const char *preload = getenv("LD_PRELOAD");
	const char *status = getenv("STATUS");
	if (argc == 2 && strcmp(argv[1], "threads") == 0) {
		threads();
		return 0;
	}
	printf("preload=%s\npid=%d\noptions=", preload ? preload : "", (int)getpid());
	for (char **e = environ; *e; e++)
		if (strncmp(*e, "GEV_", 4) == 0)
			printf("%s|", *e);
	printf("\narguments=");
	for (int i = 1; i < argc; i++)
		printf("%s|", argv[i]);
	putchar('\n');
	return status ? atoi(status) : 0;
}
