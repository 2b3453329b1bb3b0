/* check_plain.c: for `gev check`: threads that sleep, and nothing that is not cooperative. */
#include <pthread.h>
#include <unistd.h>

static void *rest(void *arg)
{
	sleep(0);
	return arg;
}

int main(void)
{
	pthread_t thread;
	if (pthread_create(&thread, NULL, rest, NULL) != 0)
		return 1;
	return pthread_join(thread, NULL);
}
