/* Joining: errors, tries, timed joins, joining what has ended and what has not, from another thread than the maker. */
#include "twin.h"

static sem_t here, go;
static pthread_t middle;

static void *wait_to_go(void *arg)
{
	sem_post(&here);
	wait_for(&go);
	return arg;
}

static void *join_itself(void *arg)
{
	show_error(pthread_join(pthread_self(), NULL));
	return arg;
}

static void *join_middle(void *arg)
{
	sem_post(&here);
	return join(middle);
}

int main(void)
{
	void *value = NULL;
	sem_init(&here, 0, 0);
	sem_init(&go, 0, 0);
	show_error(pthread_join(pthread_self(), NULL));
	join(spawn(join_itself, NULL));

	pthread_t t = spawn(wait_to_go, (void *)5);
	wait_for(&here);
	report_threads();
	show_error(pthread_tryjoin_np(t, &value));
	struct timespec soon = after(CLOCK_REALTIME, 0.05), past = {1, 0};
	beside_begin();
	double began = now();
	show_error(pthread_timedjoin_np(t, &value, &soon));
	soon = after(CLOCK_MONOTONIC, 0.05);
	show_error(pthread_clockjoin_np(t, &value, CLOCK_MONOTONIC, &soon));
	check(now() - began >= 0.099);
	beside_end();
	show_error(pthread_timedjoin_np(t, &value, &past));
	sem_post(&go);
	soon = after(CLOCK_REALTIME, 10);
	show_error(pthread_timedjoin_np(t, &value, &soon));
	printf("value %ld\n", (long)value);

	middle = spawn(wait_to_go, (void *)6);
	wait_for(&here);
	t = spawn(join_middle, NULL);
	wait_for(&here);
	sem_post(&go);
	printf("joined by another: %ld\n", (long)join(t));

	t = spawn(wait_to_go, (void *)7);
	wait_for(&here);
	sem_post(&go);
	while (pthread_tryjoin_np(t, &value) == EBUSY)
		usleep(1000);
	printf("tried until it had ended: %ld\n", (long)value);
	t = spawn(wait_to_go, NULL);
	wait_for(&here);
	show_error(pthread_detach(t));
	show_error(pthread_tryjoin_np(t, NULL));
	return 0;
}
