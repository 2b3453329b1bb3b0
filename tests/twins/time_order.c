/* Five sleepers wake in the order of their times, not of their making; equal ones all wake. On a busy machine they may be late, natively too:
 * then they try again with longer times. */
#include "twin.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int order[5], n;
static useconds_t unit = 60000;
static sem_t here, go;

static void *run(void *arg)
{
	sem_post(&here);
	wait_for(&go);
	usleep((useconds_t)(long)arg * unit);
	pthread_mutex_lock(&lock);
	order[n++] = (int)(long)arg;
	pthread_mutex_unlock(&lock);
	return NULL;
}

static bool in_order(void)
{
	static const int times[5] = {3, 1, 5, 2, 4};
	pthread_t t[5];
	n = 0;
	for (int i = 0; i < 5; i++)
		t[i] = spawn(run, (void *)(long)times[i]);
	for (int i = 0; i < 5; i++)
		wait_for(&here);
	report_threads();
	for (int i = 0; i < 5; i++)
		sem_post(&go);
	for (int i = 0; i < 5; i++)
		join(t[i]);
	for (int i = 0; i < 5; i++)
		if (order[i] != i + 1)
			return false;
	return true;
}

int main(void)
{
	pthread_t t[5];
	sem_init(&here, 0, 0);
	sem_init(&go, 0, 0);
	while (!in_order())
		unit *= 2;
	puts("in order");

	n = 0;
	unit = 60000;
	for (int i = 0; i < 5; i++)
		sem_post(&go);
	for (int i = 0; i < 5; i++)
		t[i] = spawn(run, (void *)1L);
	for (int i = 0; i < 5; i++)
		join(t[i]);
	printf("%d with one time\n", n);
	return 0;
}
