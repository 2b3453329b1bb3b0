/* Symbol versions that only old binaries of x86-64 ask for, and that mean something else than the default ones.
 *
 * pthread_cond_*@GLIBC_2.2.5 is the interface of LinuxThreads: the program's object is a pointer to the real one, which libc makes
 * at the first use (nptl/old_pthread_cond_wait.c). libc's own pthread_cond_init and pthread_cond_destroy of that version set it
 * to NULL and free what is there. The affinity calls @GLIBC_2.3.3 have no size: a set has 128 bytes. */
#include <stdlib.h>

#include "shim/pthread/thread.h"

#define OLD(name, version) __asm__(".symver patch_old_" #name ", " #name "@" version ", remove")

struct old_cond {
	pthread_cond_t *made; /* atomic */
};

/* NULL: no memory. */
static pthread_cond_t *made(struct old_cond *c)
{
	pthread_cond_t *known = __atomic_load_n(&c->made, __ATOMIC_ACQUIRE);
	if (known)
		return known;
	pthread_cond_t *fresh = calloc(1, sizeof *fresh);
	if (fresh == NULL)
		return NULL;
	if (__atomic_compare_exchange_n(&c->made, &known, fresh, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
		return fresh;
	free(fresh);
	return known;
}

#define EXPORTED __attribute__((visibility("default"), used))

EXPORTED int patch_old_pthread_cond_wait(struct old_cond *c, pthread_mutex_t *m);
EXPORTED int patch_old_pthread_cond_timedwait(struct old_cond *c, pthread_mutex_t *m, const struct timespec *until);
EXPORTED int patch_old_pthread_cond_signal(struct old_cond *c);
EXPORTED int patch_old_pthread_cond_broadcast(struct old_cond *c);
EXPORTED int patch_old_pthread_getaffinity_np(pthread_t id, cpu_set_t *cpus);
EXPORTED int patch_old_pthread_setaffinity_np(pthread_t id, const cpu_set_t *cpus);
EXPORTED int patch_old_sched_getaffinity(pid_t number, cpu_set_t *cpus);
EXPORTED int patch_old_sched_setaffinity(pid_t number, const cpu_set_t *cpus);

int patch_old_pthread_cond_wait(struct old_cond *c, pthread_mutex_t *m)
{
	pthread_cond_t *cond = made(c);
	return cond ? patch_pthread_cond_wait(cond, m) : ENOMEM;
}
OLD(pthread_cond_wait, "GLIBC_2.2.5");

int patch_old_pthread_cond_timedwait(struct old_cond *c, pthread_mutex_t *m, const struct timespec *until)
{
	pthread_cond_t *cond = made(c);
	return cond ? patch_pthread_cond_timedwait(cond, m, until) : ENOMEM;
}
OLD(pthread_cond_timedwait, "GLIBC_2.2.5");

int patch_old_pthread_cond_signal(struct old_cond *c)
{
	pthread_cond_t *cond = made(c);
	return cond ? patch_pthread_cond_signal(cond) : ENOMEM;
}
OLD(pthread_cond_signal, "GLIBC_2.2.5");

int patch_old_pthread_cond_broadcast(struct old_cond *c)
{
	pthread_cond_t *cond = made(c);
	return cond ? patch_pthread_cond_broadcast(cond) : ENOMEM;
}
OLD(pthread_cond_broadcast, "GLIBC_2.2.5");

enum { OLD_SET = 128 };

int patch_old_pthread_getaffinity_np(pthread_t id, cpu_set_t *cpus)
{
	return patch_pthread_getaffinity_np(id, OLD_SET, cpus);
}
OLD(pthread_getaffinity_np, "GLIBC_2.3.3");

int patch_old_pthread_setaffinity_np(pthread_t id, const cpu_set_t *cpus)
{
	return patch_pthread_setaffinity_np(id, OLD_SET, cpus);
}
OLD(pthread_setaffinity_np, "GLIBC_2.3.3");

int patch_old_sched_getaffinity(pid_t number, cpu_set_t *cpus)
{
	return patch_sched_getaffinity(number, OLD_SET, cpus);
}
OLD(sched_getaffinity, "GLIBC_2.3.3");

int patch_old_sched_setaffinity(pid_t number, const cpu_set_t *cpus)
{
	return patch_sched_setaffinity(number, OLD_SET, cpus);
}
OLD(sched_setaffinity, "GLIBC_2.3.3");
