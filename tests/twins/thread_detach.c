/* Detached threads: made so, detached by their maker, by themselves, before and after they have ended. */
#include "twin.h"

static sem_t go, here, done;

static void *run(void *arg)
{
	if (arg)
		printf("detaches itself: %d\n", pthread_detach(pthread_self()));
	sem_post(&here);
	wait_for(&go);
	sem_post(&done);
	return NULL;
}

static void *end_at_once(void *arg)
{
	return arg;
}

int main(void)
{
	pthread_attr_t attr;
	pthread_t t;
	int state;

	sem_init(&go, 0, 0);
	sem_init(&here, 0, 0);
	sem_init(&done, 0, 0);
	check(pthread_attr_init(&attr) == 0);
	check(pthread_attr_getdetachstate(&attr, &state) == 0);
	printf("joinable by default: %d\n", state == PTHREAD_CREATE_JOINABLE);
	show_error(pthread_attr_setdetachstate(&attr, 12345));
	show_error(pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED));

	check(pthread_create(&t, &attr, run, NULL) == 0);
	wait_for(&here);
	show_error(pthread_join(t, NULL));
	show_error(pthread_detach(t));

	t = spawn(run, NULL);
	wait_for(&here);
	show_error(pthread_detach(t));
	show_error(pthread_join(t, NULL));

	t = spawn(run, (void *)1);
	wait_for(&here);
	show_error(pthread_join(t, NULL));
	report_threads();

	for (int i = 0; i < 3; i++)
		sem_post(&go);
	for (int i = 0; i < 3; i++)
		wait_for(&done);

	/* Detached before or after its end: natively either may come first, and both are right. */
	for (int i = 0; i < 100; i++)
		check(pthread_detach(spawn(end_at_once, NULL)) == 0);
	puts("all done");
	return 0;
}
