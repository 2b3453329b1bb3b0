/* A thread that does nothing but give way, and so is in libc, or in what stands for it, whenever one looks, gets its signal. */
#include <sched.h>
#include <signal.h>

#include "twin.h"

enum { ROUNDS = 20 };
static volatile sig_atomic_t came;
static sem_t go;
static pthread_t to;

static void on_signal(int sig)
{
	came++;
}

static void *tell(void *arg)
{
	check(pthread_kill(to, SIGUSR1) == 0);
	wait_for(&go);
	return arg;
}

int main(void)
{
	to = pthread_self();
	sem_init(&go, 0, 0);
	check(signal(SIGUSR1, on_signal) != SIG_ERR);
	for (int i = 0; i < ROUNDS; i++) {
		pthread_t t = spawn(tell, NULL);
		if (i == 0)
			report_threads();
		while (came <= i)
			sched_yield();
		sem_post(&go);
		join(t);
	}
	printf("came %d times\n", (int)came);
	return 0;
}
