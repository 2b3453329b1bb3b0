/* The records of open file descriptions: taken from slabs, given back to a lock-free list.
 *
 * Slabs are mapped when first needed and never unmapped, so that an index is valid for ever. The list's head
 * carries a counter beside the index: a pop that was overtaken by a pop and a push of the same record (the ABA
 * problem) fails its exchange. */
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>

#include "shim/fds/fds.h"

struct description *fds__slabs[FDS_SLABS];
uint32_t fds_reused;
static uint64_t free_head; /* counter << 32 | index; index 0: empty */
static uint32_t fresh = 1; /* the lowest index never handed out; 0 means "none" */

/* The slab of index exists from now on. */
static bool slab_map(uint32_t index)
{
	struct description **slot = &fds__slabs[index >> FDS_SLAB_BITS], *expected = NULL;
	if (__atomic_load_n(slot, __ATOMIC_ACQUIRE))
		return true;
	size_t size = FDS_SLAB * sizeof **slot;
	void *fresh_slab = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (fresh_slab == MAP_FAILED)
		return false;
	if (!__atomic_compare_exchange_n(slot, &expected, fresh_slab, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
		munmap(fresh_slab, size);
	return true;
}

static struct description *pop(void)
{
	uint64_t head = __atomic_load_n(&free_head, __ATOMIC_ACQUIRE);
	while ((uint32_t)head) {
		struct description *d = fds__at((uint32_t)head);
		uint64_t rest = ((head >> 32) + 1) << 32 | __atomic_load_n(&d->next, __ATOMIC_RELAXED);
		if (__atomic_compare_exchange_n(&free_head, &head, rest, true, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
			return d;
	}
	return NULL;
}

struct description *fds__alloc(void)
{
	struct description *d = pop();
	if (d == NULL) {
		uint32_t index = __atomic_load_n(&fresh, __ATOMIC_RELAXED);
		do {
			if (index >= (uint32_t)FDS_SLAB * FDS_SLABS || !slab_map(index))
				return NULL;
		} while (!__atomic_compare_exchange_n(&fresh, &index, index + 1, true, __ATOMIC_RELAXED,
						      __ATOMIC_RELAXED));
		d = fds__at(index);
		d->index = index;
	}
	uint32_t index = d->index, life = d->life;
	memset(d, 0, sizeof *d);
	d->index = index;
	d->life = life + 1;
	if (life > 0)
		__atomic_fetch_add(&fds_reused, 1, __ATOMIC_RELEASE);
	d->refs = 1;
	return d;
}

void fds__free(struct description *d)
{
	uint64_t head = __atomic_load_n(&free_head, __ATOMIC_RELAXED), first;
	do {
		__atomic_store_n(&d->next, (uint32_t)head, __ATOMIC_RELAXED);
		first = (head >> 32) << 32 | d->index;
	} while (!__atomic_compare_exchange_n(&free_head, &head, first, true, __ATOMIC_RELEASE, __ATOMIC_RELAXED));
}
