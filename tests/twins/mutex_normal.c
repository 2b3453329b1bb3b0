/* A normal mutex: waiters park while the owner, itself parked, holds it; trylock; a counter under contention. */
#include "twin.h"

enum { THREADS = 20, ROUNDS = 200 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER, made;
static sem_t here, go;
static int counter;

static void *add(void *arg)
{
	for (int i = 0; i < ROUNDS; i++) {
		pthread_mutex_lock(&made);
		int was = counter;
		if (i % 50 == 0)
			usleep(100); /* the owner parks, and nobody else may come in */
		counter = was + 1;
		pthread_mutex_unlock(&made);
	}
	return arg;
}

static void *wait_for_it(void *arg)
{
	show_error(pthread_mutex_trylock(&lock));
	sem_post(&here);
	pthread_mutex_lock(&lock);
	int got = ++counter;
	pthread_mutex_unlock(&lock);
	sem_post(&go);
	return (void *)(long)(got > 0);
}

int main(void)
{
	pthread_t t[THREADS];
	sem_init(&here, 0, 0);
	sem_init(&go, 0, 0);
	check(pthread_mutex_init(&made, NULL) == 0);

	pthread_mutex_lock(&lock);
	t[0] = spawn(wait_for_it, NULL);
	wait_for(&here);
	report_threads();
	printf("nobody came in: %d\n", counter);
	pthread_mutex_unlock(&lock);
	wait_for(&go);
	join(t[0]);
	show_error(pthread_mutex_trylock(&lock));
	show_error(pthread_mutex_trylock(&lock));
	show_error(pthread_mutex_unlock(&lock));
	show_error(pthread_mutex_destroy(&lock));

	counter = 0;
	for (int i = 0; i < THREADS; i++)
		t[i] = spawn(add, NULL);
	for (int i = 0; i < THREADS; i++)
		join(t[i]);
	printf("counter %d\n", counter);
	pthread_mutex_lock(&made);
	show_error(pthread_mutex_destroy(&made));
	pthread_mutex_unlock(&made);
	show_error(pthread_mutex_destroy(&made));
	return 0;
}
