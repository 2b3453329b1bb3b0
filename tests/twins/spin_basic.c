/* Spin locks: what the calls answer, and a counter of many threads. */
#include "twin.h"

enum { THREADS = 10, ROUNDS = 2000 };

static pthread_spinlock_t spin;
static int counter;
static sem_t here, go;

static void *run(void *arg)
{
	sem_post(&here);
	wait_for(&go);
	for (int i = 0; i < ROUNDS; i++) {
		pthread_spin_lock(&spin);
		counter++;
		pthread_spin_unlock(&spin);
		if (i % 500 == 0)
			usleep(10);
	}
	return arg;
}

static void *try_it(void *arg)
{
	show_error(pthread_spin_trylock(&spin));
	return arg;
}

int main(void)
{
	pthread_t t[THREADS];
	sem_init(&here, 0, 0);
	sem_init(&go, 0, 0);
	show_error(pthread_spin_init(&spin, PTHREAD_PROCESS_PRIVATE));
	show_error(pthread_spin_lock(&spin));
	join(spawn(try_it, NULL));
	show_error(pthread_spin_unlock(&spin));
	show_error(pthread_spin_trylock(&spin));
	show_error(pthread_spin_unlock(&spin));
	for (int i = 0; i < THREADS; i++)
		t[i] = spawn(run, NULL);
	for (int i = 0; i < THREADS; i++)
		wait_for(&here);
	report_threads();
	for (int i = 0; i < THREADS; i++)
		sem_post(&go);
	for (int i = 0; i < THREADS; i++)
		join(t[i]);
	printf("counter %d\n", counter);
	show_error(pthread_spin_destroy(&spin));
	return 0;
}
