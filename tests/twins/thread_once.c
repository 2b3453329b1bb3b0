/* pthread_once: one runs the routine, which parks; the others wait for it; and once within once. */
#include "twin.h"

enum { THREADS = 20 };

static pthread_once_t once = PTHREAD_ONCE_INIT, inner = PTHREAD_ONCE_INIT;
static int ran, inner_ran, ready;
static sem_t here, go, inside;

static void inner_routine(void)
{
	inner_ran++;
}

static void routine(void)
{
	ran++;
	sem_post(&inside);
	wait_for(&go);
	pthread_once(&inner, inner_routine);
	ready = 1;
}

static void *run(void *arg)
{
	sem_post(&here);
	check(pthread_once(&once, routine) == 0);
	check(ready == 1);
	return arg;
}

int main(void)
{
	pthread_t t[THREADS];
	sem_init(&here, 0, 0);
	sem_init(&go, 0, 0);
	sem_init(&inside, 0, 0);
	for (int i = 0; i < THREADS; i++)
		t[i] = spawn(run, NULL);
	for (int i = 0; i < THREADS; i++)
		wait_for(&here);
	wait_for(&inside);
	report_threads();
	sem_post(&go);
	for (int i = 0; i < THREADS; i++)
		join(t[i]);
	check(pthread_once(&once, routine) == 0);
	printf("ran %d, inner %d\n", ran, inner_ran);
	return 0;
}
