/* C11's thrd_sleep and thrd_yield: eight threads together; a wrong time gives a negative number other than -1. */
#include <threads.h>

#include "twin.h"

enum { THREADS = 8 };

static void *run(void *arg)
{
	struct timespec wanted = {0, 200000000};
	thrd_yield();
	together(THREADS, thrd_sleep(&wanted, NULL) == 0);
	return arg;
}

int main(void)
{
	pthread_t t[THREADS];
	double began = now();
	for (int i = 0; i < THREADS; i++)
		t[i] = spawn(run, NULL);
	report_threads();
	struct timespec none = {0, 0}, too_many = {0, 1000000000}, little = {0, 1000000};
	printf("%d %d\n", thrd_sleep(&none, NULL), thrd_sleep(&little, NULL));
	printf("%d\n", thrd_sleep(&too_many, NULL));
	for (int i = 0; i < THREADS; i++)
		join(t[i]);
	double took = now() - began;
	printf("not early: %d\n", took >= 0.2);
	return 0;
}
