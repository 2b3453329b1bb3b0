/* A thread that spins on a flag, without any call, until another has set it. */
#include "twin.h"

static volatile int flag;

static void *set(void *arg)
{
	until_reported();
	usleep(1000);
	flag = 1;
	return arg;
}

int main(void)
{
	pthread_t t = spawn(set, NULL);
	report_threads();
	while (!flag)
		;
	join(t);
	puts("the flag was set");
	return 0;
}
