/* A thread that brings a scheduling class of its own (PTHREAD_EXPLICIT_SCHED): the usual one changes nothing, another one only the kernel can give it, if the
 * caller may have it. */
#include "twin.h"

static sem_t here, go;

static void *tell(void *arg)
{
	int policy;
	struct sched_param param;
	sem_post(&here);
	wait_for(&go);
	check(pthread_getschedparam(pthread_self(), &policy, &param) == 0);
	printf("class %d, priority %d\n", policy, param.sched_priority);
	return arg;
}

static void make(const char *name, int policy, int priority)
{
	pthread_t t;
	pthread_attr_t attr;
	struct sched_param param = {.sched_priority = priority};
	check(pthread_attr_init(&attr) == 0);
	check(pthread_attr_setinheritsched(&attr, PTHREAD_EXPLICIT_SCHED) == 0);
	check(pthread_attr_setschedpolicy(&attr, policy) == 0);
	check(pthread_attr_setschedparam(&attr, &param) == 0);
	int r = pthread_create(&t, &attr, tell, NULL);
	printf("%s: %s\n", name, strerrorname_np(r));
	if (r == 0) {
		wait_for(&here);
		if (policy == SCHED_OTHER)
			report_threads();
		sem_post(&go);
		join(t);
	}
	check(pthread_attr_destroy(&attr) == 0);
}

int main(void)
{
	sem_init(&here, 0, 0);
	sem_init(&go, 0, 0);
	make("SCHED_OTHER", SCHED_OTHER, 0);
	make("SCHED_FIFO", SCHED_FIFO, 1);
	return 0;
}
