/* Scheduling of a green thread: what it is told is kept and answered, and has no effect. The kernel schedules the one
 * OS thread under all of them; to pass these calls on would set everybody's class or processors.
 *
 * Main is the OS thread's own: its calls go to the kernel, as natively. */
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "shim/base/log.h"
#include "shim/pthread/cancel.h"
#include "shim/pthread/thread.h"
#include "shim/signal/signals.h"

/* The thread that id names, where the answer is ours; NULL: libc's. *r: ESRCH if there is none any more. */
static struct patch_thread *green(pthread_t id, int *r)
{
	struct patch_thread *t = patch_thread_find(id);
	if (t && t->is_main)
		t = NULL;
	*r = t && patch_thread_state(t) == PATCH_GONE ? ESRCH : 0;
	return t;
}

/* ---- Class and priority ---- */

static bool may_be_realtime(void)
{
	struct rlimit limit;
	return geteuid() == 0 || (getrlimit(RLIMIT_RTPRIO, &limit) == 0 && limit.rlim_cur > 0);
}

/* What the kernel would say (sched_setscheduler(2)). */
static int check(int policy, int priority)
{
	int lowest = sched_get_priority_min(policy), highest = sched_get_priority_max(policy);
	if (lowest < 0 || highest < 0 || priority < lowest || priority > highest)
		return EINVAL;
	if (highest > 0 && !may_be_realtime())
		return EPERM;
	if (highest > 0)
		patch_say_once("scheduling classes have no effect on green threads");
	return 0;
}

int patch_pthread_getschedparam(pthread_t id, int *policy, struct sched_param *param)
{
	int r;
	struct patch_thread *t = green(id, &r);
	if (t == NULL)
		return real.pthread_getschedparam(id, policy, param);
	if (r)
		return r;
	*policy = t->policy;
	param->sched_priority = t->priority;
	return 0;
}
EXPORT(pthread_getschedparam);

int patch_pthread_setschedparam(pthread_t id, int policy, const struct sched_param *param)
{
	int r;
	struct patch_thread *t = green(id, &r);
	if (t == NULL)
		return real.pthread_setschedparam(id, policy, param);
	if (r == 0)
		r = check(policy, param->sched_priority);
	if (r)
		return r;
	t->policy = policy;
	t->priority = param->sched_priority;
	return 0;
}
EXPORT(pthread_setschedparam);

int patch_pthread_setschedprio(pthread_t id, int priority)
{
	int r;
	struct patch_thread *t = green(id, &r);
	if (t == NULL)
		return real.pthread_setschedprio(id, priority);
	if (r == 0)
		r = check(t->policy, priority);
	if (r)
		return r;
	t->priority = priority;
	return 0;
}
EXPORT(pthread_setschedprio);

/* ---- Processors ---- */

int patch_pthread_getaffinity_np(pthread_t id, size_t size, cpu_set_t *cpus)
{
	int r;
	struct patch_thread *t = green(id, &r);
	if (t == NULL)
		return real.pthread_getaffinity_np(id, size, cpus);
	if (r)
		return r;
	if (t->cpus == NULL) {
		/* Its own OS thread, which is main's or, in a forked child, the caller's. */
		if (real.sched_getaffinity(0, size, cpus) == 0)
			return 0;
		return errno;
	}
	if (size < sizeof *t->cpus)
		return EINVAL;
	memcpy(cpus, t->cpus, sizeof *t->cpus);
	memset((char *)cpus + sizeof *t->cpus, 0, size - sizeof *t->cpus);
	return 0;
}
EXPORT_VERSIONS(pthread_getaffinity_np, "GLIBC_2.32", "GLIBC_2.3.4");

int patch_pthread_setaffinity_np(pthread_t id, size_t size, const cpu_set_t *cpus)
{
	int r;
	struct patch_thread *t = green(id, &r);
	if (t == NULL)
		return real.pthread_setaffinity_np(id, size, cpus);
	if (r)
		return r;
	cpu_set_t wanted, allowed;
	memset(&wanted, 0, sizeof wanted);
	memcpy(&wanted, cpus, size < sizeof wanted ? size : sizeof wanted);
	/* The kernel refuses a set without a processor that the process may use (sched_setaffinity(2)). */
	if (real.sched_getaffinity(0, sizeof allowed, &allowed))
		return errno;
	CPU_AND(&allowed, &allowed, &wanted);
	if (CPU_COUNT(&allowed) == 0)
		return EINVAL;
	if (t->cpus == NULL)
		t->cpus = malloc(sizeof *t->cpus);
	if (t->cpus == NULL)
		return ENOMEM;
	*t->cpus = allowed;
	return 0;
}
EXPORT_VERSIONS(pthread_setaffinity_np, "GLIBC_2.34", "GLIBC_2.3.4");

/* ---- Processor time ---- */

/* All green threads share one clock: that of the OS thread under them. */
int patch_pthread_getcpuclockid(pthread_t id, clockid_t *clock)
{
	/* A clock of the kernel's for one thread: ~number << 3 | CPUCLOCK_PERTHREAD | CPUCLOCK_SCHED
	 * (linux/posix-timers.h). */
	enum { PER_THREAD = 4, SCHED = 2, SHIFT = 3 };
	int r;
	struct patch_thread *t = green(id, &r);
	if (t == NULL)
		return real.pthread_getcpuclockid(id, clock);
	if (r)
		return r;
	*clock = (clockid_t)(~(unsigned)getpid() << SHIFT | PER_THREAD | SCHED);
	return 0;
}
EXPORT(pthread_getcpuclockid);

/* ---- Yield ---- */

int patch_sched_yield(void)
{
	if (!patch_green())
		return real.sched_yield();
	patch_gev->yield();
	/* Who does nothing else is in our own code at nearly every tick, and would never get a signal that was left for him. */
	if (unlikely(patch_sig.unsettled))
		patch_handle();
	if (unlikely(patch_cancelled_anywhere()))
		patch_testcancel();
	return 0;
}
EXPORT(sched_yield);
EXPORT_AS(__sched_yield, sched_yield);
EXPORT_AS(pthread_yield, sched_yield);
