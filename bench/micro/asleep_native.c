/* asleep_native: POSIX threads asleep, with default attributes. Preloaded they are green threads: the same binary. */
#include <pthread.h>

#include "bench/micro/asleep.h"

static struct asleep all;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static __attribute__((noinline)) void deeper(void)
{
	pthread_mutex_lock(&lock);
	double seconds = asleep_ready(&all);
	pthread_mutex_unlock(&lock);
	struct timespec t = {.tv_sec = (time_t)seconds, .tv_nsec = (long)((seconds - (double)(time_t)seconds) * 1e9)};
	if (seconds > 0)
		nanosleep(&t, NULL);
	pthread_mutex_lock(&lock);
	all.woken++;
	pthread_mutex_unlock(&lock);
}

static void *sleeper(void *arg)
{
	deeper();
	return arg;
}

int main(int argc, char **argv)
{
	all = asleep_parse(argc, argv);
	pthread_t *t = (pthread_t *)calloc((size_t)all.n, sizeof *t);
	asleep_begin(&all);
	for (long i = 0; i < all.n; i++)
		micro_must(pthread_create(&t[i], NULL, sleeper, t) == 0, "a thread");
	for (long i = 0; i < all.n; i++)
		micro_must(pthread_join(t[i], NULL) == 0, "a join");
	asleep_end(&all);
	free(t);
	return 0;
}
