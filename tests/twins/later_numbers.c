/* gettid: a number of its own for each thread, which stays the same. */
#include "twin.h"

static pid_t number[2];
static sem_t here, go;

static void *run(void *arg)
{
	number[(long)arg] = gettid();
	sem_post(&here);
	wait_for(&go);
	check(number[(long)arg] == gettid());
	return NULL;
}

int main(void)
{
	sem_init(&here, 0, 0);
	sem_init(&go, 0, 0);
	pthread_t a = spawn(run, (void *)0), b = spawn(run, (void *)1);
	wait_for(&here);
	wait_for(&here);
	report_threads();
	printf("distinct: %d, main's is the process's: %d\n",
	       number[0] != number[1] && number[0] != getpid() && number[1] != getpid(), gettid() == getpid());
	sem_post(&go);
	sem_post(&go);
	join(a);
	join(b);
	return 0;
}
