/* Barriers: many rounds, in each of which nobody leaves before all have come, and one is told that it is the serial
 * thread. */
#include "twin.h"

enum { THREADS = 12, ROUNDS = 100 };

static pthread_barrier_t barrier;
static int arrived[ROUNDS];

static void *run(void *arg)
{
	long serial = 0;
	for (int i = 0; i < ROUNDS; i++) {
		__atomic_add_fetch(&arrived[i], 1, __ATOMIC_RELAXED);
		int result = pthread_barrier_wait(&barrier);
		check(result == 0 || result == PTHREAD_BARRIER_SERIAL_THREAD);
		serial += result != 0;
		check(__atomic_load_n(&arrived[i], __ATOMIC_RELAXED) == THREADS);
	}
	return (void *)serial;
}

int main(void)
{
	pthread_t t[THREADS];
	show_error(pthread_barrier_init(&barrier, NULL, 0));
	show_error(pthread_barrier_init(&barrier, NULL, 1));
	printf("alone: %d\n", pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD);
	show_error(pthread_barrier_destroy(&barrier));
	show_error(pthread_barrier_init(&barrier, NULL, THREADS));
	for (int i = 1; i < THREADS; i++)
		t[i] = spawn(run, NULL);
	report_threads();
	long serial = (long)run(NULL);
	for (int i = 1; i < THREADS; i++)
		serial += (long)join(t[i]);
	printf("serial %ld\n", serial);
	for (int i = 0; i < 50; i++) {
		check(pthread_barrier_destroy(&barrier) == 0);
		check(pthread_barrier_init(&barrier, NULL, 1) == 0);
		check(pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD);
	}
	show_error(pthread_barrier_destroy(&barrier));
	return 0;
}
