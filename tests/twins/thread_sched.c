/* What belongs to a thread by its number, or by 0 for the caller: processors, class, niceness, the name that prctl gives.
 * What one thread is told, the others are not. */
#include <dlfcn.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "twin.h"

static sem_t here, go;
static pid_t number;
static cpu_set_t all, one;

static void say(const char *who)
{
	char name[16] = "";
	cpu_set_t now;
	struct sched_param param;
	check(prctl(PR_GET_NAME, name) == 0);
	check(sched_getaffinity(0, sizeof now, &now) == 0);
	check(sched_getparam(0, &param) == 0);
	printf("%s: %.9s, %s processor, class %d, priority %d, niceness %d\n", who, name,
	       CPU_EQUAL(&now, &one) ? "one" : "other", sched_getscheduler(0), param.sched_priority,
	       getpriority(PRIO_PROCESS, 0));
}

static void *run(void *arg)
{
	number = gettid();
	struct sched_param param = {.sched_priority = 0};
	show(prctl(PR_SET_NAME, "a name that is cut"));
	show(sched_setaffinity(0, sizeof one, &one));
	show(nice(3));
	show(setpriority(PRIO_PROCESS, 0, 5));
	show(setpriority(PRIO_PROCESS, 0, 99));
	show(sched_setscheduler(0, SCHED_BATCH, &param));
	show(sched_setparam(0, &param));
	param.sched_priority = 1;
	show(sched_setparam(0, &param));
	say("the thread");
	sem_post(&here);
	wait_for(&go);
	return arg;
}

int main(void)
{
	cpu_set_t theirs;
	struct sched_param param;
	char name[16];
	sem_init(&here, 0, 0);
	sem_init(&go, 0, 0);
	check(prctl(PR_SET_NAME, "main") == 0);
	check(sched_getaffinity(0, sizeof all, &all) == 0);
	CPU_ZERO(&one);
	for (int cpu = 0; CPU_COUNT(&one) == 0; cpu++)
		if (CPU_ISSET(cpu, &all))
			CPU_SET(cpu, &one);
	if (CPU_EQUAL(&one, &all)) /* a machine with one: then "other" is never said */
		puts("one processor");
	pthread_t t = spawn(run, NULL);
	wait_for(&here);
	report_threads();
	say("main");
	show(sched_getaffinity(number, sizeof theirs, &theirs) < 0);
	printf("by its number: %d processor, class %d, niceness %d\n", CPU_COUNT(&theirs), sched_getscheduler(number),
	       getpriority(PRIO_PROCESS, (id_t)number));
	show(sched_getparam(number, &param));
	show(setpriority(PRIO_PROCESS, (id_t)number, 7));
	show(getpriority(PRIO_PROCESS, (id_t)number));
	check(pthread_getname_np(t, name, sizeof name) == 0);
	puts(name);
	/* From glibc 2.41 on: <sched.h> of older ones knows neither it nor its structure (sched_setattr(2)). */
	struct {
		uint32_t size, policy;
		uint64_t flags;
		int32_t nice;
		uint32_t priority;
		uint64_t runtime, deadline, period;
	} attr = {.size = sizeof attr, .policy = SCHED_BATCH, .nice = 9};
	int (*set_attr)(pid_t, void *, unsigned) =
		(int (*)(pid_t, void *, unsigned))dlsym(RTLD_DEFAULT, "sched_setattr");
	check((set_attr ? set_attr(number, &attr, 0) : (int)syscall(SYS_sched_setattr, number, &attr, 0)) == 0);
	printf("all at once: class %d, niceness %d\n", sched_getscheduler(number),
	       getpriority(PRIO_PROCESS, (id_t)number));
	sem_post(&go);
	join(t);
	/* libc's join waits for the word that the kernel clears at a thread's end, and shortly after it the number is still known. */
	while (sched_getscheduler(number) != -1)
		sched_yield();
	show(sched_getscheduler(number));
	return 0;
}
