/* sleep: ten threads sleep one second together; sleep(0); the rest is 0. */
#include "twin.h"

enum { THREADS = 10 };

static void *run(void *arg)
{
	together(THREADS, sleep(1) == 0);
	return arg;
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
		join(t[i]);
	double took = now() - began;
	printf("not early: %d\n", took >= 1.0);
	return 0;
}
