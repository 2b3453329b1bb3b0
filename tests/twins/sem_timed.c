/* Threads in timed waits on a semaphore: with much time each gets its post; with little, some may time out, and no post is lost. */
#include "twin.h"

enum { WAITERS = 20, POSTS = 7 };

static sem_t s, here;

static double time_limit;

static void *run(void *arg)
{
	struct timespec soon = after(CLOCK_REALTIME, time_limit);
	sem_post(&here);
	int result = arg ? sem_clockwait(&s, CLOCK_REALTIME, &soon) : sem_timedwait(&s, &soon);
	check(result == 0 || errno == ETIMEDOUT);
	until_reported();
	return (void *)(long)(result == 0);
}

static long post_among(int waiters, double seconds)
{
	pthread_t t[WAITERS];
	long got = 0;
	time_limit = seconds;
	fixture.reported = false;
	for (long i = 0; i < waiters; i++)
		t[i] = spawn(run, (void *)(i % 2));
	for (int i = 0; i < waiters; i++)
		wait_for(&here);
	report_threads();
	for (int i = 0; i < POSTS; i++)
		sem_post(&s);
	for (int i = 0; i < waiters; i++)
		got += (long)join(t[i]);
	return got;
}

int main(void)
{
	int left;
	sem_init(&s, 0, 0);
	sem_init(&here, 0, 0);
	printf("%ld got one in time\n", post_among(POSTS, 15));
	long got = post_among(WAITERS, 0.3);
	sem_getvalue(&s, &left);
	printf("%ld got one or lie there\n", got + left);
	return 0;
}
