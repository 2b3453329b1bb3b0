/* What a thread answers about itself: its attributes, its name.
 *
 * For a green thread libc's own answers would be main's: its struct pthread has no stack, and its number names no
 * thread of the kernel. */
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#include "shim/pthread/thread.h"

static void fill_stack(pthread_attr_t *attr, const struct gev_greenlet *g, bool unguarded)
{
	struct gev_stack_info stack;
	patch_gev->thread_stack(g, &stack);
	pthread_attr_setstack(attr, stack.base, stack.size);
	pthread_attr_setguardsize(attr, unguarded ? 0 : stack.guard);
}

int patch_pthread_getattr_np(pthread_t id, pthread_attr_t *attr)
{
	struct patch_thread *t = patch_thread_find(id);
	struct gev_greenlet *self = patch_self();
	/* A greenlet of libgev's own API has no record; it can ask about itself only. */
	bool asks_itself = self && id == pthread_self() && (t == NULL || t->greenlet != self);
	if (!asks_itself && (t == NULL || t->is_main))
		return real.pthread_getattr_np(id, attr);
	if (!asks_itself && patch_thread_state(t) == PATCH_GONE)
		return ESRCH;
	int r = pthread_attr_init(attr);
	if (r)
		return r;
	fill_stack(attr, asks_itself ? self : t->greenlet, t && t->unguarded);
	if (asks_itself)
		return 0;
	struct sched_param param = {.sched_priority = t->priority};
	pthread_attr_setschedpolicy(attr, t->policy);
	pthread_attr_setschedparam(attr, &param);
	if (patch_thread_state(t) == PATCH_DETACHED)
		pthread_attr_setdetachstate(attr, PTHREAD_CREATE_DETACHED);
	cpu_set_t cpus;
	r = patch_pthread_getaffinity_np(id, sizeof cpus, &cpus);
	return r ? r : pthread_attr_setaffinity_np(attr, sizeof cpus, &cpus);
}
EXPORT(pthread_getattr_np);

/* ---- Names ---- */

int patch_pthread_setname_np(pthread_t id, const char *name)
{
	struct patch_thread *t = patch_thread_find(id);
	if (t == NULL || t->is_main)
		return real.pthread_setname_np(id, name);
	if (patch_thread_state(t) == PATCH_GONE)
		return ESRCH;
	size_t n = strlen(name);
	if (n >= sizeof t->name)
		return ERANGE;
	memcpy(t->name, name, n + 1);
	patch_gev->thread_name(t->greenlet, name);
	return 0;
}
EXPORT(pthread_setname_np);

int patch_pthread_getname_np(pthread_t id, char *name, size_t size)
{
	struct patch_thread *t = patch_thread_find(id);
	if (t == NULL || t->is_main)
		return real.pthread_getname_np(id, name, size);
	if (patch_thread_state(t) == PATCH_GONE)
		return ESRCH;
	if (size < sizeof t->name)
		return ERANGE;
	if (t->name[0] == '\0')
		return real.prctl(PR_GET_NAME, (unsigned long)name, 0, 0, 0) < 0 ? errno : 0; /* its OS thread's */
	memcpy(name, t->name, sizeof t->name);
	return 0;
}
EXPORT(pthread_getname_np);
