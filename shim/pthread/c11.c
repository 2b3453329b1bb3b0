/* C11 threads: the same objects under other names, and other result codes (ISO C11 7.26; glibc's types are its
 * pthread types). */
#include "shim/pthread/thread.h"

_Static_assert(sizeof(mtx_t) == sizeof(pthread_mutex_t), "mtx_t is libc's pthread_mutex_t");
_Static_assert(sizeof(cnd_t) == sizeof(pthread_cond_t), "cnd_t is libc's pthread_cond_t");

static int result(int error)
{
	switch (error) {
	case 0:
		return thrd_success;
	case ENOMEM:
		return thrd_nomem;
	case ETIMEDOUT:
		return thrd_timedout;
	case EBUSY:
		return thrd_busy;
	default:
		return thrd_error;
	}
}

/* ---- Threads ---- */

struct real_create {
	thrd_t *id;
	thrd_start_t entry;
	void *arg;
	int result;
};

static void create_real(void *arg)
{
	struct real_create *c = arg;
	c->result = real.thrd_create(c->id, c->entry, c->arg);
}

int patch_thrd_create(thrd_t *id, thrd_start_t entry, void *arg)
{
	int r = patch_thread_make(id, NULL, (void *(*)(void *))(void *)entry, arg, true);
	if (r != PATCH_MAKE_REAL)
		return result(r);
	struct real_create c = {.id = id, .entry = entry, .arg = arg};
	patch_real_threads = true;
	patch_as_os_thread(create_real, &c);
	return c.result;
}
EXPORT(thrd_create);

int patch_thrd_join(thrd_t id, int *value)
{
	void *got;
	int r = patch_pthread_join(id, &got);
	if (r == 0 && value)
		*value = (int)(intptr_t)got;
	return result(r);
}
EXPORT(thrd_join);

int patch_thrd_detach(thrd_t id)
{
	return result(patch_pthread_detach(id));
}
EXPORT(thrd_detach);

void patch_thrd_exit(int value)
{
	patch_pthread_exit((void *)(intptr_t)value);
	__builtin_unreachable();
}
EXPORT(thrd_exit);

void patch_thrd_yield(void)
{
	patch_sched_yield();
}
EXPORT(thrd_yield);

/* ---- Mutexes ---- */

static pthread_mutex_t *mutex(mtx_t *m)
{
	return (pthread_mutex_t *)(void *)m;
}

int patch_mtx_lock(mtx_t *m)
{
	return result(patch_pthread_mutex_lock(mutex(m)));
}
EXPORT(mtx_lock);

int patch_mtx_timedlock(mtx_t *m, const struct timespec *until)
{
	return result(patch_pthread_mutex_timedlock(mutex(m), until));
}
EXPORT(mtx_timedlock);

int patch_mtx_trylock(mtx_t *m)
{
	return result(patch_pthread_mutex_trylock(mutex(m)));
}
EXPORT(mtx_trylock);

int patch_mtx_unlock(mtx_t *m)
{
	return result(patch_pthread_mutex_unlock(mutex(m)));
}
EXPORT(mtx_unlock);

/* ---- Conditions ---- */

static pthread_cond_t *cond(cnd_t *c)
{
	return (pthread_cond_t *)(void *)c;
}

int patch_cnd_signal(cnd_t *c)
{
	return result(patch_pthread_cond_signal(cond(c)));
}
EXPORT(cnd_signal);

int patch_cnd_broadcast(cnd_t *c)
{
	return result(patch_pthread_cond_broadcast(cond(c)));
}
EXPORT(cnd_broadcast);

int patch_cnd_wait(cnd_t *c, mtx_t *m)
{
	return result(patch_pthread_cond_wait(cond(c), mutex(m)));
}
EXPORT(cnd_wait);

int patch_cnd_timedwait(cnd_t *c, mtx_t *m, const struct timespec *until)
{
	return result(patch_pthread_cond_timedwait(cond(c), mutex(m), until));
}
EXPORT(cnd_timedwait);

/* ---- Thread-specific storage ---- */

int patch_tss_create(tss_t *key, tss_dtor_t destructor)
{
	return result(patch_pthread_key_create(key, destructor));
}
EXPORT(tss_create);

void patch_tss_delete(tss_t key)
{
	patch_pthread_key_delete(key);
}
EXPORT(tss_delete);
