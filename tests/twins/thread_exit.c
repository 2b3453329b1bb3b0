/* pthread_exit from nested functions, with cleanup handlers that run last first, and one that parks. */
#include "twin.h"

static sem_t here, go;

static void say(void *arg)
{
	printf("cleanup %s\n", (const char *)arg);
}

static void say_and_wait(void *arg)
{
	sem_post(&here);
	wait_for(&go);
	say(arg);
}

static void deepest(long value)
{
	pthread_cleanup_push(say, (void *)"innermost");
	pthread_cleanup_push(say, (void *)"popped and run");
	pthread_cleanup_pop(1);
	pthread_cleanup_push(say, (void *)"popped and not run");
	pthread_cleanup_pop(0);
	pthread_exit((void *)value);
	pthread_cleanup_pop(0);
}

static void *run(void *arg)
{
	pthread_cleanup_push(say, (void *)"outermost");
	pthread_cleanup_push(say_and_wait, (void *)"that waits");
	deepest((long)arg);
	pthread_cleanup_pop(0);
	pthread_cleanup_pop(0);
	return NULL;
}

static void *plain(void *arg)
{
	pthread_exit(arg);
}

int main(void)
{
	sem_init(&here, 0, 0);
	sem_init(&go, 0, 0);
	pthread_t t = spawn(run, (void *)42);
	wait_for(&here);
	report_threads();
	printf("plain: %ld\n", (long)join(spawn(plain, (void *)43)));
	sem_post(&go);
	printf("nested: %ld\n", (long)join(t));
	for (long i = 0; i < 1000; i++)
		check((long)join(spawn(plain, (void *)i)) == i);
	puts("1000 more");
	return 0;
}
