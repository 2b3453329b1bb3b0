/* The end of an identity, as nptl ends a thread of its own (nptl/pthread_create.c, start_thread): the destructors of thread_local objects, then, for some
 * rounds, those of the values of its keys (nptl/nptl_deallocate_tsd.c). libc does not export the second part, but where everything for it lies.
 *
 *      struct pthread: specific -> [ block 0 | block 1 | ... ]     block: 32 x { sequence number, value }; the first lies in struct pthread itself,
 *                                                                  the others are malloc's
 *      __pthread_keys: 1024 x { sequence number, destructor } */
#include <limits.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/context/identity-glibc.h"
#include "lib/context/identity.h"
#include "lib/context/thread-block.h"
#include "lib/context/thread-pointer.h"

/* Whether a destructor was called. */
static bool end_value(const struct gev__keys *k, pthread_key_t key)
{
	/* The value of a key that was deleted meanwhile is none. */
	void *value = pthread_getspecific(key);
	if (value == NULL || (key < 32 && k->shared >> key & 1))
		return false;
	void (*destroy)(void *);
	memcpy(&destroy, k->keys + key * k->key_stride + k->destructor, sizeof destroy);
	pthread_setspecific(key, NULL);
	if (destroy)
		destroy(value);
	return destroy != NULL;
}

/* One round: whether any was, which may have set values again. */
static bool run_round(const struct gev__keys *k, const char *block, char *const *blocks)
{
	bool called = false;
	for (pthread_key_t b = 0; b < k->blocks; b++) {
		const char *values = b == 0 ? block + k->first_values : blocks[b];
		for (pthread_key_t i = 0; values && i < k->block_values; i++, values += k->value_stride)
			if (*(void *const *)(const void *)(values + k->value))
				called |= end_value(k, b * (pthread_key_t)k->block_values + i);
	}
	return called;
}

/* Most greenlets set none: then all of it is as it was made. */
static bool never_set(const struct gev__keys *k, const char *block, char *const *blocks)
{
	static const char zeros[1024];
	size_t first = (size_t)k->block_values * k->value_stride, others = (k->blocks - 1) * sizeof *blocks;
	return first <= sizeof zeros && memcmp(block + k->first_values, zeros, first) == 0 && others <= sizeof zeros &&
	       memcmp(blocks + 1, zeros, others) == 0;
}

static void warn_once(const char *missing)
{
	static bool said;
	if (!__atomic_exchange_n(&said, true, __ATOMIC_RELAXED))
		gev__warn("this libc hides %s: destructors do not run at the end of a greenlet with an identity",
			  missing);
}

void gev__identity_destroy(const struct gev__glibc *glibc)
{
	const struct gev__keys *k = &glibc->keys;
	if (glibc->call_tls_dtors)
		glibc->call_tls_dtors();
	else
		warn_once("__call_tls_dtors");
	if (k->keys == NULL) {
		warn_once("__pthread_keys");
		return;
	}
	const char *block = gev__thread_block(gev__tp_get(), glibc->sizeof_pthread);
	char **blocks = (char **)((uintptr_t)block + glibc->specific_offset);
	if (never_set(k, block, blocks))
		return;
	for (int round = 0; round < PTHREAD_DESTRUCTOR_ITERATIONS && run_round(k, block, blocks); round++)
		;
	for (pthread_key_t b = 1; b < k->blocks; b++) {
		if (blocks[b] == NULL)
			continue;
		free(blocks[b]);
		blocks[b] = NULL;
	}
}
