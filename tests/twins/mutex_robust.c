/* A robust mutex whose owner ends without unlocking it: the next one is told, may repair it, or leaves it unusable. */
#include "twin.h"

static pthread_mutex_t lock;
static sem_t here, go;

static void *die_with_it(void *arg)
{
	check(pthread_mutex_lock(&lock) == 0);
	sem_post(&here);
	wait_for(&go);
	return arg;
}

static void *wait_for_owner(void *arg)
{
	sem_post(&here);
	int result = pthread_mutex_lock(&lock);
	printf("the waiter got %s\n", strerrorname_np(result));
	show_error(pthread_mutex_consistent(&lock));
	show_error(pthread_mutex_unlock(&lock));
	return arg;
}

static void *take(void *arg)
{
	show_error(pthread_mutex_lock(&lock));
	return arg;
}

int main(void)
{
	pthread_mutexattr_t attr;
	sem_init(&here, 0, 0);
	sem_init(&go, 0, 0);
	check(pthread_mutexattr_init(&attr) == 0);
	show_error(pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST));
	check(pthread_mutex_init(&lock, &attr) == 0);

	pthread_t owner = spawn(die_with_it, NULL);
	wait_for(&here);
	show_error(pthread_mutex_trylock(&lock));
	pthread_t waiter = spawn(wait_for_owner, NULL);
	wait_for(&here);
	report_threads();
	sem_post(&go);
	join(owner);
	join(waiter);
	show_error(pthread_mutex_lock(&lock));
	show_error(pthread_mutex_consistent(&lock));
	show_error(pthread_mutex_unlock(&lock));

	/* Not repaired: nobody gets it any more. */
	join(spawn(take, NULL));
	show_error(pthread_mutex_trylock(&lock));
	show_error(pthread_mutex_unlock(&lock));
	show_error(pthread_mutex_lock(&lock));
	join(spawn(take, NULL));
	show_error(pthread_mutex_destroy(&lock));
	return 0;
}
