/* Changes its user, to the same, from main and from a thread. */
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

static void *green(void *arg)
{
	printf("green %d\n", setuid(getuid()));
	return arg;
}

static void *sleeper(void *arg)
{
	usleep(50000);
	return arg;
}

int main(void)
{
	pthread_t a, b;
	if (pthread_create(&a, NULL, sleeper, NULL) || pthread_create(&b, NULL, green, NULL))
		return 1;
	printf("main %d\n", setgid(getgid()));
	pthread_join(b, NULL);
	pthread_join(a, NULL);
	return 0;
}
