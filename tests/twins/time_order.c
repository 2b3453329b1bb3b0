/* Five sleepers wake in the order of their times, not of their making; equal ones all wake. */
#include "twin.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int order[5], n;
static sem_t here, go;

static void *run(void *arg)
{
	sem_post(&here);
	wait_for(&go);
	usleep((useconds_t)(long)arg * 60000);
	pthread_mutex_lock(&lock);
	order[n++] = (int)(long)arg;
	pthread_mutex_unlock(&lock);
	return NULL;
}

int main(void)
{
	static const int times[5] = {3, 1, 5, 2, 4};
	pthread_t t[5];
	sem_init(&here, 0, 0);
	sem_init(&go, 0, 0);
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
		printf("%d ", order[i]);
	puts("");

	n = 0;
	for (int i = 0; i < 5; i++)
		sem_post(&go);
	for (int i = 0; i < 5; i++)
		t[i] = spawn(run, (void *)1L);
	for (int i = 0; i < 5; i++)
		join(t[i]);
	printf("%d with one time\n", n);
	return 0;
}
