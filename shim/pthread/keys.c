/* Thread-specific data. pthread_getspecific and pthread_setspecific are libc's own and work in any thread: the values
 * lie behind the thread pointer. libc runs the destructors of its own threads; for green threads we do, from a copy
 * of what the keys were made with. */
#include <limits.h>
#include <stdlib.h>

#include "shim/pthread/thread.h"

static void (*destructors[PTHREAD_KEYS_MAX])(void *); /* atomic */
static unsigned keys_used;                            /* atomic: the highest key ever made, plus one */

int patch_pthread_key_create(pthread_key_t *key, void (*destructor)(void *))
{
	int r = real.pthread_key_create(key, destructor);
	if (r)
		return r;
	if (*key < PTHREAD_KEYS_MAX)
		__atomic_store_n(&destructors[*key], destructor, __ATOMIC_RELAXED);
	unsigned used = __atomic_load_n(&keys_used, __ATOMIC_RELAXED);
	while (used <= *key &&
	       !__atomic_compare_exchange_n(&keys_used, &used, *key + 1, true, __ATOMIC_RELEASE, __ATOMIC_RELAXED)) {
	}
	return 0;
}
EXPORT(pthread_key_create);
EXPORT_AS(__pthread_key_create, pthread_key_create);

int patch_pthread_key_delete(pthread_key_t key)
{
	int r = real.pthread_key_delete(key);
	if (r == 0)
		__atomic_store_n(&destructors[key], NULL, __ATOMIC_RELAXED);
	return r;
}
EXPORT(pthread_key_delete);

/* One round: whether a destructor was called, which may have set values again. */
static bool run_round(void)
{
	bool called = false;
	unsigned n = __atomic_load_n(&keys_used, __ATOMIC_ACQUIRE);
	for (pthread_key_t key = 0; key < n && key < PTHREAD_KEYS_MAX; key++) {
		void *value = pthread_getspecific(key);
		if (value == NULL)
			continue;
		pthread_setspecific(key, NULL);
		void (*destructor)(void *) = __atomic_load_n(&destructors[key], __ATOMIC_RELAXED);
		if (destructor == NULL)
			continue;
		destructor(value);
		called = true;
	}
	return called;
}

/* libc keeps the values of keys from 32 on in arrays that it allocates at the first use (nptl/pthread_setspecific.c);
 * the first entry points into struct pthread itself. It frees them at the end of its own threads only. */
static void free_arrays(void)
{
	enum { ARRAYS = 32 };
	static ptrdiff_t offset;
	if (__atomic_load_n(&keys_used, __ATOMIC_RELAXED) <= PTHREAD_KEYS_MAX / ARRAYS)
		return;
	if (offset == 0)
		offset = patch_pthread_field("_thread_db_pthread_specific");
	if (offset < 0)
		return;
	void **arrays = (void **)(void *)((char *)pthread_self() + offset);
	for (int i = 1; i < ARRAYS; i++) {
		free(arrays[i]);
		arrays[i] = NULL;
	}
}

void patch_keys_end(void)
{
	for (int round = 0; round < PTHREAD_DESTRUCTOR_ITERATIONS && run_round(); round++) {
	}
	free_arrays();
}
