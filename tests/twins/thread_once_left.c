/* A routine of pthread_once that does not return: its thread calls pthread_exit in it, or is cancelled in it. Then it counts
 * as never begun, and one of those who waited for it begins anew. */
#include "twin.h"

static pthread_once_t once = PTHREAD_ONCE_INIT;
static int tries;
static bool exits;
static sem_t here, go, inside;

static void routine(void)
{
	int try = ++tries;
	sem_post(&inside);
	if (try == 1) {
		wait_for(&go);
		if (exits)
			pthread_exit((void *)7);
		check(!"the cancelled one came here");
	}
}

static void *run(void *arg)
{
	sem_post(&here);
	check(pthread_once(&once, routine) == 0);
	return arg;
}

static void leave(bool by_exit)
{
	enum { THREADS = 4 };
	pthread_t t[THREADS];
	exits = by_exit;
	once = (pthread_once_t)PTHREAD_ONCE_INIT;
	tries = 0;
	t[0] = spawn(run, NULL);
	wait_for(&here);
	wait_for(&inside);
	for (int i = 1; i < THREADS; i++)
		t[i] = spawn(run, NULL);
	for (int i = 1; i < THREADS; i++)
		wait_for(&here);
	report_threads();
	if (by_exit)
		sem_post(&go);
	else
		check(pthread_cancel(t[0]) == 0);
	void *value = join(t[0]);
	printf("left by %s\n", value == PTHREAD_CANCELED ? "cancellation"
			       : value == (void *)7      ? "pthread_exit"
							 : "return");
	for (int i = 1; i < THREADS; i++)
		check(join(t[i]) == NULL);
	wait_for(&inside);
	printf("%d tries\n", tries);
}

int main(void)
{
	sem_init(&here, 0, 0);
	sem_init(&go, 0, 0);
	sem_init(&inside, 0, 0);
	leave(true);
	leave(false);
	return 0;
}
