/* Threads in timed waits on a semaphore: some are posted in time, the rest time out, and no post is lost. */
#include "twin.h"

enum { WAITERS = 20, POSTS = 7 };

static sem_t s, here;

static void *run(void *arg)
{
	struct timespec soon = after(CLOCK_REALTIME, 0.3);
	sem_post(&here);
	int result = arg ? sem_clockwait(&s, CLOCK_REALTIME, &soon) : sem_timedwait(&s, &soon);
	check(result == 0 || errno == ETIMEDOUT);
	return (void *)(long)(result == 0);
}

int main(void)
{
	pthread_t t[WAITERS];
	long got = 0;
	int left;
	sem_init(&s, 0, 0);
	sem_init(&here, 0, 0);
	for (long i = 0; i < WAITERS; i++)
		t[i] = spawn(run, (void *)(i % 2));
	for (int i = 0; i < WAITERS; i++)
		wait_for(&here);
	report_threads();
	for (int i = 0; i < POSTS; i++)
		sem_post(&s);
	for (int i = 0; i < WAITERS; i++)
		got += (long)join(t[i]);
	sem_getvalue(&s, &left);
	printf("%ld got one, %d left\n", got, left);
	return 0;
}
