/* Scheduling by number: sched_*, nice and its relatives, for which the kernel takes 0 as the calling thread
 * (sched_setaffinity(2), setpriority(2): on Linux these are a thread's own).
 *
 * As in sched.c: what a green thread is told is kept and answered, and has no effect. */
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "shim/pthread/thread.h"

/* The green thread, other than main, that the number means; NULL: the kernel knows. */
static struct patch_thread *meant(id_t number)
{
	if (number == 0)
		return patch_me.state == PATCH_FOREIGN || patch_me.is_main ? NULL : &patch_me;
	return patch_thread_numbered((pid_t)number);
}

static int convert(int error)
{
	if (error == 0)
		return 0;
	errno = error;
	return -1;
}

/* ---- Processors ---- */

int patch_sched_getaffinity(pid_t number, size_t size, cpu_set_t *cpus)
{
	struct patch_thread *t = meant((id_t)number);
	return t ? convert(patch_pthread_getaffinity_np(patch_thread_id(t), size, cpus))
		 : real.sched_getaffinity(number, size, cpus);
}
EXPORT_VERSION(sched_getaffinity, "GLIBC_2.3.4");

int patch_sched_setaffinity(pid_t number, size_t size, const cpu_set_t *cpus)
{
	struct patch_thread *t = meant((id_t)number);
	return t ? convert(patch_pthread_setaffinity_np(patch_thread_id(t), size, cpus))
		 : real.sched_setaffinity(number, size, cpus);
}
EXPORT_VERSION(sched_setaffinity, "GLIBC_2.3.4");

/* ---- Class and priority ---- */

int patch_sched_getscheduler(pid_t number)
{
	struct patch_thread *t = meant((id_t)number);
	return t ? t->policy : real.sched_getscheduler(number);
}
EXPORT(sched_getscheduler);
EXPORT_AS(__sched_getscheduler, sched_getscheduler);

int patch_sched_setscheduler(pid_t number, int policy, const struct sched_param *param)
{
	struct patch_thread *t = meant((id_t)number);
	if (t == NULL)
		return real.sched_setscheduler(number, policy, param);
	return convert(patch_pthread_setschedparam(patch_thread_id(t), policy & ~SCHED_RESET_ON_FORK, param));
}
EXPORT(sched_setscheduler);
EXPORT_AS(__sched_setscheduler, sched_setscheduler);

/* The beginning of struct sched_attr, whose size its first member says (sched_setattr(2)). */
struct attributes {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
};

/* Not in each libc. A deadline is a promise of the kernel's, and there is none for green threads. */
int patch_sched_setattr(pid_t number, void *attr, unsigned flags)
{
	struct patch_thread *t = meant((id_t)number);
	const struct attributes *a = attr;
	if (t == NULL || a == NULL || flags || a->size < sizeof *a)
		return (int)real.syscall(SYS_sched_setattr, number, (long)attr, (long)flags, 0, 0, 0);
	if (a->policy == SCHED_DEADLINE)
		return convert(EBUSY);
	if (a->policy == SCHED_OTHER || a->policy == SCHED_BATCH)
		patch_setpriority(PRIO_PROCESS, (id_t)number, a->nice);
	struct sched_param param = {.sched_priority = (int)a->priority};
	return convert(patch_pthread_setschedparam(patch_thread_id(t), (int)a->policy, &param));
}
EXPORT(sched_setattr);

int patch_sched_getparam(pid_t number, struct sched_param *param)
{
	struct patch_thread *t = meant((id_t)number);
	if (t == NULL)
		return real.sched_getparam(number, param);
	param->sched_priority = t->priority;
	return 0;
}
EXPORT(sched_getparam);
EXPORT_AS(__sched_getparam, sched_getparam);

int patch_sched_setparam(pid_t number, const struct sched_param *param)
{
	struct patch_thread *t = meant((id_t)number);
	return t ? convert(patch_pthread_setschedprio(patch_thread_id(t), param->sched_priority))
		 : real.sched_setparam(number, param);
}
EXPORT(sched_setparam);

/* ---- Niceness ---- */

enum { NICEST = 19, LEAST_NICE = -20 };

/* setpriority(2), ERRORS and RLIMIT_NICE, which is 20 - the lowest allowed. */
static bool may_be(int nice, int now)
{
	struct rlimit limit;
	if (nice >= now || geteuid() == 0)
		return true;
	return getrlimit(RLIMIT_NICE, &limit) == 0 && (rlim_t)(20 - nice) <= limit.rlim_cur;
}

int patch_getpriority(__priority_which_t which, id_t who)
{
	struct patch_thread *t = which == PRIO_PROCESS ? meant(who) : NULL;
	if (t && t->niced)
		return t->nice;
	return real.getpriority(which, t ? 0 : who);
}
EXPORT(getpriority);

int patch_setpriority(__priority_which_t which, id_t who, int nice)
{
	struct patch_thread *t = which == PRIO_PROCESS ? meant(who) : NULL;
	if (t == NULL)
		return real.setpriority(which, who, nice);
	nice = nice > NICEST ? NICEST : nice < LEAST_NICE ? LEAST_NICE : nice;
	if (!may_be(nice, patch_getpriority(which, who)))
		return convert(EACCES);
	t->nice = (int8_t)nice;
	t->niced = true;
	return 0;
}
EXPORT(setpriority);

int patch_nice(int more)
{
	if (meant(0) == NULL)
		return real.nice(more);
	int nice = patch_getpriority(PRIO_PROCESS, 0) + more;
	if (patch_setpriority(PRIO_PROCESS, 0, nice) == 0)
		return patch_me.nice;
	return convert(errno == EACCES ? EPERM : errno); /* nice(3p) */
}
EXPORT(nice);
