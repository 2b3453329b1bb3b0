/* The library of trap_constructor: its constructor makes threads and takes locks before main, and before many a
 * preloaded library would have been initialised. */
#include "twin.h"

__attribute__((visibility("default"))) int constructor_result(void);

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER, held = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static pthread_t early;
static int started, finish;
static __thread int mine = 3;

static void *run(void *arg)
{
	pthread_mutex_lock(&lock);
	started = mine++;
	pthread_cond_signal(&changed);
	while (!finish)
		pthread_cond_wait(&changed, &lock);
	pthread_mutex_unlock(&lock);
	return (void *)(long)mine;
}

__attribute__((constructor)) static void construct(void)
{
	pthread_mutex_lock(&held);
	early = spawn(run, NULL);
	pthread_mutex_lock(&lock);
	while (!started)
		pthread_cond_wait(&changed, &lock);
	pthread_mutex_unlock(&lock);
	usleep(1000);
}

int constructor_result(void)
{
	pthread_mutex_lock(&lock);
	finish = 1;
	pthread_cond_signal(&changed);
	pthread_mutex_unlock(&lock);
	long value = (long)join(early);
	return (int)value * 10 + (pthread_mutex_unlock(&held) == 0);
}
