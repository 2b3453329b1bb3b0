/* Threads that wait for one another: deadlock.c two|self|join|all. Hangs, as natively. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

pthread_mutex_t lock_a = PTHREAD_MUTEX_INITIALIZER;
pthread_mutex_t lock_b = PTHREAD_MUTEX_INITIALIZER;
pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static pthread_t main_id;

static void *first(void *arg)
{
	pthread_mutex_lock(&lock_a);
	sched_yield();
	pthread_mutex_lock(&lock_b);
	return arg;
}

static void *second(void *arg)
{
	pthread_mutex_lock(&lock_b);
	sched_yield();
	pthread_mutex_lock(&lock_a);
	return arg;
}

static void *selfish(void *arg)
{
	pthread_mutex_lock(&lock_a);
	pthread_mutex_lock(&lock_a);
	return arg;
}

static void *holder(void *arg)
{
	pthread_mutex_lock(&lock_a);
	pthread_join(main_id, NULL);
	return arg;
}

static void *waiter(void *arg)
{
	pthread_mutex_lock(&lock_a);
	pthread_cond_wait(&condition, &lock_a);
	return arg;
}

static void *ticker(void *arg)
{
	for (;;)
		usleep(1000);
	return arg;
}

int main(int argc, char **argv)
{
	pthread_t a, b;
	const char *what = argc > 1 ? argv[1] : "two";
	main_id = pthread_self();
	printf("ready %d\n", getpid());
	fflush(stdout);
	if (strcmp(what, "join") == 0) {
		pthread_create(&a, NULL, holder, NULL);
		sched_yield();
		pthread_mutex_lock(&lock_a);
	} else if (strcmp(what, "self") == 0) {
		pthread_create(&a, NULL, selfish, NULL);
		pthread_create(&b, NULL, ticker, NULL); /* the rest goes on */
	} else if (strcmp(what, "all") == 0) {
		pthread_create(&a, NULL, waiter, NULL);
	} else {
		pthread_create(&a, NULL, first, NULL);
		pthread_create(&b, NULL, second, NULL);
	}
	pthread_join(a, NULL);
	return 0;
}
