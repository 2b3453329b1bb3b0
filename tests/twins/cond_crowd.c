/* 50 producers and 50 consumers over a queue of 8 places: every item arrives once. */
#include "twin.h"

enum { SIDES = 50, ITEMS = 200, PLACES = 8 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t not_full = PTHREAD_COND_INITIALIZER, not_empty = PTHREAD_COND_INITIALIZER;
static int queue[PLACES], head, count, here;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static bool started;

static void arrive(void)
{
	here++;
	pthread_cond_broadcast(&changed);
	while (!started)
		pthread_cond_wait(&changed, &lock);
}

static void *produce(void *arg)
{
	pthread_mutex_lock(&lock);
	arrive();
	for (int i = 0; i < ITEMS; i++) {
		while (count == PLACES)
			pthread_cond_wait(&not_full, &lock);
		queue[(head + count++) % PLACES] = (int)(long)arg * ITEMS + i;
		pthread_cond_signal(&not_empty);
	}
	pthread_mutex_unlock(&lock);
	return NULL;
}

static void *consume(void *arg)
{
	long sum = 0;
	pthread_mutex_lock(&lock);
	arrive();
	for (int i = 0; i < ITEMS; i++) {
		while (count == 0)
			pthread_cond_wait(&not_empty, &lock);
		sum += queue[head];
		head = (head + 1) % PLACES;
		count--;
		pthread_cond_signal(&not_full);
	}
	pthread_mutex_unlock(&lock);
	return (void *)sum;
}

int main(void)
{
	pthread_t t[2 * SIDES];
	long sum = 0;
	for (long i = 0; i < SIDES; i++) {
		t[i] = spawn(produce, (void *)i);
		t[SIDES + i] = spawn(consume, NULL);
	}
	pthread_mutex_lock(&lock);
	while (here < 2 * SIDES)
		pthread_cond_wait(&changed, &lock);
	report_threads();
	started = true;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
	for (int i = 0; i < 2 * SIDES; i++)
		sum += (long)join(t[i]);
	long n = (long)SIDES * ITEMS;
	printf("sum %ld, expected %ld, left %d\n", sum, n * (n - 1) / 2, count);
	return 0;
}
