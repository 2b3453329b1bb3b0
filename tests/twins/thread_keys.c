/* Thread-specific data: many keys, values of each thread, destructors and their rounds, deletion, the limit. */
#include <limits.h>

#include "twin.h"

enum { KEYS = 100, THREADS = 20 };

static pthread_key_t key[KEYS], again, deleted;
static int destroyed, rounds, deleted_ran;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static sem_t here, go;

static void destroy(void *value)
{
	check(value != NULL);
	pthread_mutex_lock(&lock);
	destroyed++;
	pthread_mutex_unlock(&lock);
}

static void set_again(void *value)
{
	check(pthread_getspecific(again) == NULL);
	pthread_mutex_lock(&lock);
	rounds++;
	pthread_mutex_unlock(&lock);
	pthread_setspecific(again, value);
}

static void never(void *value)
{
	deleted_ran++;
}

static void *run(void *arg)
{
	long me = (long)arg;
	for (long i = 0; i < KEYS; i++) {
		check(pthread_getspecific(key[i]) == NULL);
		check(pthread_setspecific(key[i], (void *)(me * KEYS + i + 1)) == 0);
	}
	pthread_setspecific(deleted, (void *)1);
	if (me == 0)
		pthread_setspecific(again, (void *)1);
	sem_post(&here);
	wait_for(&go);
	for (long i = 0; i < KEYS; i++)
		check(pthread_getspecific(key[i]) == (void *)(me * KEYS + i + 1));
	return NULL;
}

int main(void)
{
	pthread_t t[THREADS];
	sem_init(&here, 0, 0);
	sem_init(&go, 0, 0);
	for (int i = 0; i < KEYS; i++)
		check(pthread_key_create(&key[i], destroy) == 0);
	check(pthread_key_create(&again, set_again) == 0);
	check(pthread_key_create(&deleted, never) == 0);
	for (long i = 0; i < THREADS; i++)
		t[i] = spawn(run, (void *)i);
	for (int i = 0; i < THREADS; i++)
		wait_for(&here);
	report_threads();
	check(pthread_key_delete(deleted) == 0);
	show_error(pthread_key_delete(deleted));
	show_error(pthread_setspecific(deleted, (void *)1));
	for (int i = 0; i < THREADS; i++)
		sem_post(&go);
	for (int i = 0; i < THREADS; i++)
		join(t[i]);
	printf("destructors: %d, rounds: %d, of a deleted key: %d\n", destroyed, rounds, deleted_ran);

	int more = 0, error;
	pthread_key_t k;
	while ((error = pthread_key_create(&k, NULL)) == 0)
		more++;
	/* A library may hold a few of the PTHREAD_KEYS_MAX. */
	more += KEYS + 1;
	printf("keys until %s: nearly all %d\n", strerrorname_np(error),
	       more <= PTHREAD_KEYS_MAX && more > PTHREAD_KEYS_MAX - 10);
	check(pthread_key_delete(key[5]) == 0);
	show_error(pthread_key_create(&k, NULL));
	printf("a new key starts empty: %d\n", pthread_getspecific(k) == NULL);
	return 0;
}
