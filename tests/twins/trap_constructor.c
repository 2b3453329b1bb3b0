/* A library's constructor has made a thread before main: it lives on, and locks taken there are held here. */
#include "twin.h"

int constructor_result(void);

static void *run(void *arg)
{
	usleep(1000);
	return arg;
}

int main(void)
{
	pthread_t t = spawn(run, (void *)1);
	report_threads();
	printf("main's own thread: %ld\n", (long)join(t));
	printf("the constructor's: %d\n", constructor_result());
	return 0;
}
