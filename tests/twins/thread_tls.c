/* __thread variables and errno belong to each thread, keep their initial images and alignment, and survive parking. */
#include "twin.h"

enum { THREADS = 50 };

static __thread int counter = 7;
static __thread char zeroes[3000];
static __thread struct {
	_Alignas(64) char data[64];
} aligned = {"initial"};

static sem_t here, go;

static void *run(void *arg)
{
	long me = (long)arg;
	check(counter == 7 && !strcmp(aligned.data, "initial"));
	check(((uintptr_t)&aligned & 63) == 0);
	for (size_t i = 0; i < sizeof zeroes; i++)
		check(zeroes[i] == 0);
	counter += (int)me;
	memset(zeroes, (int)me, sizeof zeroes);
	snprintf(aligned.data, sizeof aligned.data, "thread %ld", me);
	errno = 1000 + (int)me;
	int *errno_before = &errno, *counter_before = &counter;
	sem_post(&here);
	int waited = sem_wait(&go);
	check(waited == 0 && errno == 1000 + (int)me);
	check(errno_before == &errno && counter_before == &counter);
	check(counter == 7 + (int)me);
	for (size_t i = 0; i < sizeof zeroes; i++)
		check(zeroes[i] == (char)me);
	char expected[64];
	snprintf(expected, sizeof expected, "thread %ld", me);
	check(!strcmp(aligned.data, expected));
	return (void *)(long)counter;
}

int main(void)
{
	pthread_t t[THREADS];
	long sum = 0;
	sem_init(&here, 0, 0);
	sem_init(&go, 0, 0);
	counter = 1;
	for (int round = 0; round < 3; round++) {
		for (long i = 0; i < THREADS; i++)
			t[i] = spawn(run, (void *)i);
		for (int i = 0; i < THREADS; i++)
			wait_for(&here);
		if (round == 0)
			report_threads();
		for (int i = 0; i < THREADS; i++)
			sem_post(&go);
		for (int i = 0; i < THREADS; i++)
			sum += (long)join(t[i]);
	}
	printf("sum %ld, main's own %d\n", sum, counter);
	return 0;
}
