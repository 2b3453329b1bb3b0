/* pthread_create, self, equal, join, return values: threads that live at once, each waiting for the next one. */
#include "twin.h"

enum { N = 10 };

static pthread_t thread[N];
static pthread_t self[N];
static sem_t baton[N + 1], all_here;

static void *run(void *arg)
{
	long i = (long)arg;
	self[i] = pthread_self();
	sem_post(&all_here);
	wait_for(&baton[i + 1]);
	sem_post(&baton[i]);
	return (void *)(i * i);
}

int main(void)
{
	sem_init(&all_here, 0, 0);
	for (int i = 0; i <= N; i++)
		sem_init(&baton[i], 0, 0);
	for (long i = 0; i < N; i++)
		thread[i] = spawn(run, (void *)i);
	for (int i = 0; i < N; i++)
		wait_for(&all_here);
	report_threads();

	int same = 0, distinct = 0;
	for (int i = 0; i < N; i++) {
		same += pthread_equal(self[i], thread[i]) != 0;
		for (int j = 0; j < i; j++)
			distinct += !pthread_equal(self[i], self[j]);
		check(!pthread_equal(thread[i], pthread_self()));
	}
	printf("self is what create gave: %d, distinct pairs: %d\n", same, distinct);

	sem_post(&baton[N]);
	wait_for(&baton[0]);
	for (int i = 0; i < N; i++)
		printf("thread %d returned %ld\n", i, (long)join(thread[i]));
	sem_post(&baton[N]);
	show_error(pthread_join(spawn(run, (void *)(N - 1)), NULL));
	return 0;
}
