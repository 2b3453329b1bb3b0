/* pthread_create: a green thread where it can be one, else a real one, and then it is said why.
 *
 * What cannot be honoured green: threads made by OS threads that have no hub (libc's own helpers), and real-time
 * scheduling. */
#include "shim/pthread/thread.h"

#include <stdlib.h>
#include <string.h>

#include "shim/base/loader-error.h"
#include "shim/base/log.h"
#include "shim/base/options.h"
#include "shim/pthread/native.h"
#include "shim/signal/signals.h"

bool patch_real_threads;

struct wanted {
	struct gev_thread_attr attr;
	bool detached;
	int policy;
	int priority;
	cpu_set_t cpus;
	bool has_cpus;
	sigset_t mask;
	bool has_mask;
};

/* ---- Green or real ---- */

static bool identities_missing(void)
{
	static bool known, missing;
	if (likely(known))
		return missing;
	const char *why = patch_gev->no_identity();
	if (why)
		patch_say("green threads are not possible here: %s; threads stay native", why);
	missing = why != NULL;
	known = true;
	return missing;
}

/* As runtime_ready. */
static int begin(void)
{
	if (patch_load() < 0)
		return PATCH_MAKE_REAL; /* load.c has said why */
	/* Before the runtime starts: a program whose threads stay native shall notice nothing. */
	if (identities_missing())
		return PATCH_MAKE_REAL;
	int r = patch_start();
	return r == 0 ? 0 : r == -ENOSYS || r == -EPERM ? PATCH_MAKE_REAL : EAGAIN;
}

/* Making a thread is no cancellation point, and libc may know of a cancellation that waits for main. */
static int begin_uncancelled(void)
{
	int state;
	real.pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
	int r = begin();
	real.pthread_setcancelstate(state, NULL);
	return r;
}

/* 0, PATCH_MAKE_REAL, or an error number. */
static int runtime_ready(void)
{
	if (likely(patch_started)) {
		if (unlikely(patch_self() == NULL)) {
			patch_say_once("a thread that libgev does not run makes threads; they are real ones");
			return PATCH_MAKE_REAL;
		}
	} else {
		/* The hub is main's. A helper thread of libc's (SIGEV_THREAD, aio) may be the first to come here,
		 * while main is inside a real blocking call. */
		if (real.gettid() != getpid())
			return PATCH_MAKE_REAL;
		void *error = patch_loader_error_take();
		int r = begin_uncancelled();
		if (r == 0)
			patch_threads_begin();
		patch_loader_error_put(error);
		if (r)
			return r;
	}
	if (identities_missing())
		return PATCH_MAKE_REAL;
	patch_threads_begin();
	return 0;
}

/* ---- Attributes ---- */

static bool is_default(const cpu_set_t *cpus)
{
	/* libc fills the answer with ones when nothing was set (nptl/pthread_attr_getaffinity.c). */
	enum { WORDS = sizeof *cpus / sizeof(unsigned long) };
	const unsigned long *words = (const unsigned long *)(const void *)cpus;
	for (size_t i = 0; i < WORDS; i++)
		if (words[i] != ~0UL)
			return false;
	return true;
}

static void read_stack(const pthread_attr_t *attr, struct gev_thread_attr *out)
{
	void *base = NULL;
	size_t size = 0;
	pthread_attr_getstack(attr, &base, &size);
	/* libc keeps the top of the stack, NULL when none was set, and answers with what lies `size` below it. */
	uintptr_t top = (uintptr_t)base + size;
	if (top != 0) {
		if (size == 0)
			pthread_attr_getstacksize(attr,
						  &size); /* pthread_attr_setstackaddr alone: of the default size */
		out->stack = (void *)(top - size);
		out->stack_size = size;
		return;
	}
	pthread_attr_getstacksize(attr, &out->stack_size);
	pthread_attr_getguardsize(attr, &out->guard_size);
	/* Since 2.27 glibc adds the guard to the size that was asked for (nptl/allocatestack.c). There is one always.
	 */
	out->stack_size += out->guard_size ? out->guard_size : 1;
}

static int read_attr(const pthread_attr_t *attr, struct wanted *w)
{
	int detached, inherit;
	struct sched_param param;
	memset(w, 0, sizeof *w);
	pthread_attr_getdetachstate(attr, &detached);
	w->detached = detached == PTHREAD_CREATE_DETACHED;
	read_stack(attr, &w->attr);
	pthread_attr_getinheritsched(attr, &inherit);
	if (inherit == PTHREAD_EXPLICIT_SCHED) {
		pthread_attr_getschedpolicy(attr, &w->policy);
		pthread_attr_getschedparam(attr, &param);
		w->priority = param.sched_priority;
		if (w->policy != SCHED_OTHER || w->priority != 0) {
			patch_say_once("a thread with a scheduling class of its own is a real one");
			return PATCH_MAKE_REAL;
		}
	}
	w->has_mask = pthread_attr_getsigmask_np(attr, &w->mask) == 0;
	w->has_cpus = pthread_attr_getaffinity_np(attr, sizeof w->cpus, &w->cpus) == 0 && !is_default(&w->cpus);
	return 0;
}

/* What a thread without attributes gets. Read once: it changes only by the call below. Only the hub's thread comes here. */
static bool default_known; /* atomic */
static bool default_set;   /* atomic: by the program itself, which has the last word */

static int read_default(const struct wanted **out)
{
	static struct wanted known;
	struct wanted *w = &known;
	*out = w;
	if (likely(__atomic_load_n(&default_known, __ATOMIC_ACQUIRE)))
		return 0;
	pthread_attr_t attr;
	__atomic_store_n(&default_known, true, __ATOMIC_SEQ_CST);
	int r = pthread_getattr_default_np(&attr) ? EAGAIN : 0;
	if (r == 0) {
		r = read_attr(&attr, w);
		pthread_attr_destroy(&attr);
	}
	size_t asked = (size_t)patch_options()->thread_stack_size;
	if (asked != 0 && asked < (size_t)PTHREAD_STACK_MIN)
		asked = (size_t)PTHREAD_STACK_MIN;
	if (asked != 0 && !__atomic_load_n(&default_set, __ATOMIC_SEQ_CST))
		w->attr.stack_size = asked + w->attr.guard_size; /* as libc does, see read_stack */
	if (r)
		__atomic_store_n(&default_known, false, __ATOMIC_SEQ_CST);
	return r;
}

int patch_pthread_setattr_default_np(const pthread_attr_t *attr)
{
	int r = real.pthread_setattr_default_np(attr);
	if (r == 0)
		__atomic_store_n(&default_set, true, __ATOMIC_SEQ_CST);
	__atomic_store_n(&default_known, false, __ATOMIC_SEQ_CST);
	return r;
}
EXPORT(pthread_setattr_default_np);

/* ---- Making one ---- */

/* The creator's, unless the attributes say otherwise. *out: the caller's to free; NULL: nothing was ever set. */
static int copy_cpus(const struct wanted *w, cpu_set_t **out)
{
	const cpu_set_t *cpus = w->has_cpus ? &w->cpus : patch_me.cpus;
	*out = NULL;
	if (likely(cpus == NULL))
		return 0;
	*out = malloc(sizeof *cpus);
	if (*out == NULL)
		return EAGAIN;
	**out = *cpus;
	return 0;
}

int patch_thread_make(pthread_t *id, const pthread_attr_t *attr, void *(*entry)(void *), void *arg, bool c11)
{
	struct wanted given;
	const struct wanted *w = &given;
	cpu_set_t *cpus = NULL;
	int r = runtime_ready();
	if (r == 0 && patch_native_chosen(entry))
		r = PATCH_MAKE_REAL;
	if (r == 0)
		r = attr ? read_attr(attr, &given) : read_default(&w);
	if (r == 0)
		r = copy_cpus(w, &cpus);
	if (r)
		return r;
	patch_thread_sweep();
	struct gev_greenlet *g;
	void *tp;
	struct gev_thread_attr wanted = w->attr;
	wanted.suspended = true;
	wanted.name = *patch_me.name ? patch_me.name : NULL; /* inherited, as natively */
	if (patch_gev->thread_new(&wanted, patch_thread_entry, (void *)entry, &g, &tp) < 0) {
		free(cpus);
		return EAGAIN;
	}
	struct patch_thread *t = patch_thread_at((pthread_t)tp);
	t->greenlet = g;
	t->entry = entry;
	t->arg = arg;
	t->c11 = c11;
	t->cpus = cpus;
	t->unguarded = wanted.guard_size == 0;
	t->policy = patch_me.policy;
	t->priority = patch_me.priority;
	memcpy(t->name, patch_me.name, sizeof t->name);
	t->nice = patch_me.nice;
	t->niced = patch_me.niced;
	__atomic_store_n(&t->state, w->detached ? PATCH_DETACHED : PATCH_JOINABLE, __ATOMIC_RELEASE);
	patch_signals_born(tp, g, w->has_mask ? &w->mask : NULL);
	*id = (pthread_t)tp;
	patch_gev->thread_start(g);
	return 0;
}

struct real_create {
	pthread_t *id;
	const pthread_attr_t *attr;
	void *(*entry)(void *);
	void *arg;
	int result;
};

static void create_real(void *arg)
{
	struct real_create *c = arg;
	c->result = patch_create_real(c->id, c->attr, c->entry, c->arg);
}

int patch_pthread_create(pthread_t *id, const pthread_attr_t *attr, void *(*entry)(void *), void *arg)
{
	int r = patch_thread_make(id, attr, entry, arg, false);
	if (r != PATCH_MAKE_REAL)
		return r;
	struct real_create c = {.id = id, .attr = attr, .entry = entry, .arg = arg};
	patch_real_thread_comes();
	patch_as_os_thread(create_real, &c);
	return c.result;
}
EXPORT(pthread_create);
