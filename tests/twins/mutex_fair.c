/* Three threads loop over lock, sleep, unlock with nothing in between: none of them may starve. */
#include "twin.h"

enum { THREADS = 3, ROUNDS = 20 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void *run(void *arg)
{
	until_reported();
	for (int i = 0; i < ROUNDS; i++) {
		pthread_mutex_lock(&lock);
		usleep(1000);
		pthread_mutex_unlock(&lock);
	}
	return arg;
}

int main(void)
{
	pthread_t t[THREADS];
	for (int i = 0; i < THREADS; i++)
		t[i] = spawn(run, NULL);
	report_threads();
	for (int i = 0; i < THREADS; i++)
		join(t[i]);
	puts("all progressed");
	return 0;
}
