/* Calls that take a pthread_t of another, parked thread: its name, CPU clock, affinity, scheduling, signal 0. */
#include <sched.h>
#include <signal.h>

#include "twin.h"

static sem_t here, go;

static void *park(void *arg)
{
	show_error(pthread_setname_np(pthread_self(), "early"));
	sem_post(&here);
	wait_for(&go);
	return arg;
}

int main(void)
{
	char name[16];
	clockid_t clock;
	struct timespec used;
	cpu_set_t cpus, process;
	struct sched_param param = {.sched_priority = 77};
	int policy = -1;
	sem_init(&here, 0, 0);
	sem_init(&go, 0, 0);
	pthread_t t = spawn(park, NULL);
	wait_for(&here);
	report_threads();

	show_error(pthread_getname_np(t, name, sizeof name));
	printf("name %s\n", name);
	show_error(pthread_setname_np(t, "later"));
	show_error(pthread_setname_np(t, "longer than fifteen"));
	show_error(pthread_getname_np(t, name, 3));
	show_error(pthread_getname_np(t, name, sizeof name));
	printf("name %s\n", name);
	check(pthread_getname_np(pthread_self(), name, sizeof name) == 0);
	printf("main's own: %.9s\n", name);

	show_error(pthread_getcpuclockid(t, &clock));
	show(clock_gettime(clock, &used));
	show_error(pthread_getcpuclockid(pthread_self(), &clock));
	show_error(pthread_getaffinity_np(t, sizeof cpus, &cpus));
	check(sched_getaffinity(0, sizeof process, &process) == 0);
	printf("the same CPUs: %d\n", CPU_EQUAL(&cpus, &process));
	show_error(pthread_setaffinity_np(t, sizeof cpus, &cpus));
	show_error(pthread_getschedparam(t, &policy, &param));
	printf("ordinary: %d %d\n", policy == SCHED_OTHER, param.sched_priority);
	show_error(pthread_setschedparam(t, policy, &param));
	show_error(pthread_setschedprio(t, 0));
	show_error(pthread_kill(t, 0));
	show_error(pthread_kill(t, 12345));
	show_error(pthread_sigqueue(t, 0, (union sigval){.sival_int = 1}));
	show_error(pthread_sigqueue(t, 12345, (union sigval){.sival_int = 1}));
	sem_post(&go);
	join(t);
	return 0;
}
