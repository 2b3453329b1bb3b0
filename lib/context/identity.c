/* Identities on glibc.
 *
 * A thread control block comes from the dynamic linker (_dl_allocate_tls), which also lays out the thread-local storage of every module at its
 * initial image. What glibc's own pthread_create would fill in besides (nptl/allocatestack.c, nptl/pthread_create.c, start_thread) is filled in here.
 * Traps: an identity that is not on the loader's list of stacks crashes fork's child, and misses the static TLS of libraries that are loaded later;
 * a per-thread malloc cache of its own would leak 12 KiB at each end. */
#include "lib/context/identity.h"

#include <errno.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/lock.h"
#include "lib/base/macros.h"
#include "lib/base/options.h"
#include "lib/context/annotate.h"
#include "lib/context/identity-glibc.h"
#include "lib/context/thread-block.h"
#include "lib/context/thread-pointer.h"

static struct gev__glibc glibc;

/* How places of our own are cut; where they cannot be, the loader's malloc gives each identity its memory. */
static struct gev__tls_shape shape;
static bool own_places;

/* The words of libc's TLS that belong to malloc: offsets from the thread pointer. */
#define MALLOC_WORDS_MAX 4
static ptrdiff_t malloc_words[MALLOC_WORDS_MAX];
static size_t malloc_words_n;

/* Above every number the kernel gives (PID_MAX_LIMIT is 2^22) and inside what a futex word can hold (FUTEX_TID_MASK): libc's recursive locks compare it. */
#define FIRST_ID (1 << 22)
#define LAST_ID 0x3fffffff
static int next_id = FIRST_ID;

/* The struct pthread of that thread pointer. */
static char *block_of(const void *tp)
{
	return gev__thread_block(tp, glibc.sizeof_pthread);
}

static struct gev__list_node *node_of(void *tp)
{
	return (struct gev__list_node *)(void *)(block_of(tp) + glibc.list_offset);
}

/* The list is one for the process; every OS thread with a hub puts its identities there. libc's own lock cannot be reached. */
static struct gev__lock list_lock;

static void link_stack(void *tp)
{
	struct gev__list_node *n = node_of(tp);
	struct gev__list_node *head = glibc.stack_user;
	gev__lock(&list_lock);
	n->next = head->next;
	n->prev = head;
	head->next->prev = n;
	head->next = n;
	gev__unlock(&list_lock);
}

static void unlink_stack(void *tp)
{
	struct gev__list_node *n = node_of(tp);
	gev__lock(&list_lock);
	if (n->next) {
		n->next->prev = n->prev;
		n->prev->next = n->next;
		n->next = n->prev = NULL;
	}
	gev__unlock(&list_lock);
}

/* AddressSanitizer keeps its idea of the current thread behind a key of pthread_setspecific, and fails where it finds none. Its stacks are told
 * apart by its fibre calls (annotate.h), so one idea serves all. */
static void share_asan_thread(void *tp, const void *creator)
{
#ifdef GEV_ASAN
	const struct gev__keys *k = &glibc.keys;
	for (size_t key = 0; key < 32; key++) {
		size_t at = (size_t)k->first_values + key * k->value_stride;
		if (k->shared >> key & 1)
			memcpy(block_of(tp) + at, block_of(creator) + at, k->value_stride);
	}
#endif
	(void)tp, (void)creator;
}

static void fill(void *tp)
{
	const void *creator = gev__tp_get();
	char *block = block_of(tp);
	gev__thread_head(tp, glibc.sizeof_pthread, creator);
	share_asan_thread(tp, creator);

	int id = __atomic_fetch_add(&next_id, 1, __ATOMIC_RELAXED);
	if (id == LAST_ID)
		__atomic_store_n(&next_id, FIRST_ID, __ATOMIC_RELAXED);
	memcpy(block + glibc.tid_offset, &id, sizeof id);

	/* struct pthread { ...; void *robust_prev; struct robust_list_head robust_head; }: empty means both point at the head. */
	void **robust = (void **)(void *)(block + glibc.robust_offset);
	robust[-1] = robust;
	robust[0] = robust;
	robust[1] = (void *)glibc.robust_futex_offset;
	robust[2] = NULL;
	if (glibc.rseq_offset) {
		/* Not registered: sched_getcpu then asks the kernel. struct rseq: cpu_id_start, cpu_id (linux/rseq.h). From 2.41 on the area is not zeroed. */
		char *area = (char *)tp + glibc.rseq_offset;
		int32_t failed = -2; /* RSEQ_CPU_ID_REGISTRATION_FAILED */
		memset(area, 0, glibc.rseq_size);
		memcpy(area + sizeof(uint32_t), &failed, sizeof failed);
	}
	for (size_t i = 0; i < malloc_words_n; i++)
		memcpy((char *)tp + malloc_words[i], (const char *)creator + malloc_words[i], sizeof(void *));
}

static __attribute__((noinline)) void use_malloc(void)
{
	void *volatile p = malloc(64);
	free(p);
}

/* Which words of libc's TLS does malloc write? Those of its cache and its arena: 0x48 and 0x58 of 0x90 in 2.36, elsewhere in others; so look. */
static int discover_malloc_words(void)
{
	use_malloc(); /* so that the creator's own are set */
	void *tp = glibc.allocate_tls(NULL);
	if (tp == NULL)
		return -EAGAIN;
	fill(tp);
	char *block = (char *)tp + glibc.tls_offset;
	char *before = malloc(glibc.tls_size);
	if (before == NULL) {
		glibc.deallocate_tls(tp, true);
		return -EAGAIN;
	}
	memcpy(before, block, glibc.tls_size);
	void *own = gev__tp_get();
	gev__tp_set(tp);
	use_malloc();
	gev__tp_set(own);
	for (size_t at = 0; at + sizeof(void *) <= glibc.tls_size; at += sizeof(void *)) {
		if (memcmp(before + at, block + at, sizeof(void *)) == 0)
			continue;
		if (malloc_words_n == MALLOC_WORDS_MAX) {
			/* More than a cache and an arena: not what we know. Share nothing; it leaks a little, and is right. */
			malloc_words_n = 0;
			break;
		}
		malloc_words[malloc_words_n++] = glibc.tls_offset + (ptrdiff_t)at;
	}
	free(before);
	glibc.deallocate_tls(tp, true);
	return 0;
}

/* Whether places of our own can be cut for what a thread needs; if not, the loader's own malloc must serve. */
static bool can_cut(void)
{
	size_t before, after;
	if (glibc.static_align == 0)
		return false;
	gev__thread_extent(glibc.static_size, glibc.static_align, glibc.sizeof_pthread, &before, &after);
	return gev__tls_shape(before, after, glibc.static_align, &shape) == 0;
}

static const char *find_out(void)
{
	gev__tp_init();
	if (!gev__options()->identity)
		return "switched off by GEV_IDENTITY=0";
	if (GEV__TSAN)
		return "ThreadSanitizer keeps what it knows of a thread in thread-local storage";
	const char *missing = gev__glibc_find(&glibc);
	if (missing)
		return missing;
	own_places = can_cut();
	/* A shared arena word and several arenas do not mix: glibc would detach an arena that others still use. Before any real thread. */
	mallopt(M_ARENA_MAX, 1);
	if (discover_malloc_words() < 0)
		return "no memory to try an identity";
	return NULL;
}

static struct gev__lock finding;

const char *gev__identity_missing(void)
{
	static bool known;
	static const char *missing;
	if (unlikely(!__atomic_load_n(&known, __ATOMIC_ACQUIRE))) {
		gev__lock(&finding);
		if (!known)
			missing = find_out();
		__atomic_store_n(&known, true, __ATOMIC_RELEASE);
		gev__unlock(&finding);
	}
	return missing;
}

static void *get_memory(struct gev__identity_pool *pool)
{
	if (!own_places)
		return glibc.allocate_tls(NULL);
	char *tp = gev__tls_get(&pool->memory, &shape);
	if (tp == NULL)
		return NULL;
	/* What the loader does for memory of its own (elf/dl-tls.c, _dl_allocate_tls_storage): the control block zeroed; the images it lays out itself. */
	gev__thread_clear(tp, glibc.sizeof_pthread);
	if (glibc.allocate_tls(tp))
		return tp;
	gev__tls_put(&pool->memory, &shape, tp);
	return NULL;
}

int gev__identity_get(struct gev__identity_pool *pool, void **tp)
{
	void *identity = get_memory(pool);
	if (identity == NULL)
		return -EAGAIN;
	pool->in_use++;
	fill(identity);
	link_stack(identity);
	*tp = identity;
	return 0;
}

void *gev__identity_self(const void *tp)
{
	return block_of(tp);
}

int gev__identity_number(const void *tp)
{
	int number = 0;
	if (glibc.tid_offset)
		memcpy(&number, block_of(tp) + glibc.tid_offset, sizeof number);
	return number;
}

void gev__identity_begin(void)
{
	glibc.ctype_init();
}

void gev__identity_end(void)
{
	gev__identity_destroy(&glibc);
}

void gev__identity_put(struct gev__identity_pool *pool, void *tp)
{
	unlink_stack(tp);
	pool->in_use--;
	glibc.deallocate_tls(tp, !own_places);
	if (own_places)
		gev__tls_put(&pool->memory, &shape, tp);
}

void gev__identity_forked(void *tp)
{
	struct gev__list_node *n = node_of(tp);
	n->next = n->prev = NULL;
}

void gev__identity_survived(void *tp)
{
	unlink_stack(tp);
	link_stack(tp);
}

void gev__identities_lock(void)
{
	gev__lock(&finding);
	gev__lock(&list_lock);
}

void gev__identities_unlock(void)
{
	gev__unlock(&list_lock);
	gev__unlock(&finding);
}

void gev__identity_pool_done(struct gev__identity_pool *pool)
{
	gev__tls_pool_done(&pool->memory);
}
