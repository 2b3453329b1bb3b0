/* A second joiner is refused, and who would join its own joiner; libc says so too, but not in each of its versions (in 2.36 both wait), so this
 * is not a twin. Run preloaded. */
#include "../twins/twin.h"

static sem_t here, go;
static pthread_t middle, waits;

static void *wait_to_go(void *arg)
{
	sem_post(&here);
	wait_for(&go);
	return arg;
}

static void *join_middle(void *arg)
{
	sem_post(&here);
	return join(middle);
}

static void *join_joiner(void *arg)
{
	wait_for(&go);
	check(pthread_join(waits, NULL) == EDEADLK);
	return arg;
}

/* That somebody has begun to join it shows by the refusal. */
static void until_joined(void)
{
	struct timespec past = {1, 0};
	int r;
	while ((r = pthread_timedjoin_np(middle, NULL, &past)) == ETIMEDOUT)
		usleep(100);
	check(r == EINVAL);
}

int main(void)
{
	struct timespec late = after(CLOCK_REALTIME, 10);
	void *value;
	sem_init(&here, 0, 0);
	sem_init(&go, 0, 0);

	middle = spawn(wait_to_go, (void *)8);
	wait_for(&here);
	pthread_t first = spawn(join_middle, NULL);
	wait_for(&here);
	until_joined();
	check(pthread_join(middle, NULL) == EINVAL);
	check(pthread_timedjoin_np(middle, NULL, &late) == EINVAL);
	check(pthread_tryjoin_np(middle, NULL) == EBUSY);
	/* The first gives up; then it is anybody's again. */
	check(pthread_cancel(first) == 0 && join(first) == PTHREAD_CANCELED);
	sem_post(&go);
	check(pthread_join(middle, &value) == 0 && value == (void *)8);

	middle = spawn(join_joiner, (void *)9);
	waits = spawn(join_middle, NULL);
	wait_for(&here);
	until_joined();
	sem_post(&go);
	check(join(waits) == (void *)9);
	return 0;
}
