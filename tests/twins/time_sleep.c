/* sleep: ten threads sleep one second together; sleep(0); the rest is 0. */
#include "twin.h"

enum { THREADS = 10 };

static void *run(void *arg)
{
	return (void *)(long)sleep(1);
}

int main(void)
{
	pthread_t t[THREADS];
	double began = now();
	show(sleep(0));
	for (int i = 0; i < THREADS; i++)
		t[i] = spawn(run, NULL);
	report_threads();
	for (int i = 0; i < THREADS; i++)
		check(join(t[i]) == NULL);
	double took = now() - began;
	printf("not early: %d, together: %d\n", took >= 1.0, took < 3.0);
	return 0;
}
