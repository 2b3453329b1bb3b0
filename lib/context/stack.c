/* Guarded stacks out of slabs.
 *
 * Why slabs from an odd MiB: a page table covers 2 MiB. The top pages of one stack and the guard of the next then share a table, so an
 * 8 MiB stack that uses a page costs one table (4 KiB) and not two; measured 4 129 bytes against 8 224.
 * Why MADV_GUARD_INSTALL (Linux 6.13, madvise(2)): mprotect splits the mapping, two mappings a stack, and vm.max_map_count ends that near
 * 32 000 stacks; guard markers live in the page tables and split nothing. It fails in a locked mapping (mlockall), there mprotect serves.
 * Why several at a time: a system call for each stack is a third of what 100 000 cost that live once (docs/architecture.md). */
#include "lib/context/stack.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/uio.h>

#include "lib/base/macros.h"
#include "lib/base/options.h"
#include "lib/base/sys.h"

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif
#ifndef PIDFD_SELF
#define PIDFD_SELF (-10000) /* linux/pidfd.h; an older kernel finds no such descriptor */
#endif

#define MIB ((size_t)1 << 20)
#define SLAB_STACKS 64             /* at most, in one mapping */
#define GUARDED 16                 /* guards at a time: each may need a page table that nobody uses yet */
#define LEAVING 64                 /* stacks whose memory is given back together, at most */
#define TRIMMED ((size_t)64 << 10) /* what a trimmed stack keeps, at its top, where the next tenant begins */

struct gev__stack_slab {
	struct gev__stack_slab *next;
	char *map;
	size_t size;
};

/* A power of two. The C library keeps it, from the auxiliary vector (getauxval(3)): no system call. */
static size_t page_size(void)
{
	return getauxval(AT_PAGESZ);
}

static size_t to_pages(size_t n, size_t page)
{
	return (n + page - 1) & ~(page - 1);
}

static size_t trimmed(const struct gev__stack_class *c)
{
	return c->usable < TRIMMED ? c->usable : TRIMMED;
}

/* Room is made when a slab is: giving back never allocates. */
static int reserve(struct gev__stack_places *p, size_t room)
{
	if (room <= p->room)
		return 0;
	char **at = realloc(p->at, room * sizeof *at);
	if (at == NULL)
		return -EAGAIN;
	p->at = at;
	p->room = room;
	return 0;
}

static struct gev__stack_class *find_class(struct gev__stack_pool *pool, size_t total, size_t guard)
{
	for (struct gev__stack_class *c = pool->classes; c; c = c->next)
		if (c->total == total && c->guard == guard)
			return c;
	struct gev__stack_class *c = calloc(1, sizeof *c);
	if (c == NULL)
		return NULL;
	if (reserve(&c->leaving, LEAVING)) {
		free(c);
		return NULL;
	}
	if (pool->classes == NULL) {
		pool->may_keep = (size_t)gev__options()->stack_cache;
		pool->keep_whole = pool->may_keep / 2;
		pool->may_leave = pool->may_keep / 8;
	}
	c->pool = pool;
	c->total = total;
	c->guard = guard;
	c->usable = total - guard;
	c->slab_stacks = 1;
	c->next = pool->classes;
	pool->classes = c;
	return c;
}

static char *map_slab(struct gev__stack_class *c, size_t stacks, size_t *mapped)
{
	/* Small stacks sit many to a page table anyway; only for big ones does the place of the first matter. */
	size_t slack = c->total >= 2 * MIB ? 2 * MIB : 0;
	size_t size = stacks * c->total + slack;
	char *map =
		gev__sys.mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (map == MAP_FAILED)
		return NULL;
	*mapped = size;
	/* With transparent huge pages the first touch of an 8 MiB stack would make 2 MiB resident. EINVAL: a kernel built without them. */
	gev__sys.madvise(map, size, MADV_NOHUGEPAGE);
	return map;
}

static char *first_place(const struct gev__stack_class *c, char *map)
{
	if (c->total < 2 * MIB)
		return map;
	return (char *)(((uintptr_t)map + MIB - 1) / (2 * MIB) * (2 * MIB) + MIB);
}

static int add_slab(struct gev__stack_class *c)
{
	struct gev__stack_slab *slab = malloc(sizeof *slab);
	if (slab == NULL)
		return -EAGAIN;
	/* RLIMIT_AS and strict overcommit refuse big slabs where a small one still fits. */
	size_t stacks = c->slab_stacks;
	char *map = NULL;
	for (; stacks >= 1; stacks /= 2) {
		map = map_slab(c, stacks, &slab->size);
		if (map)
			break;
	}
	if (map == NULL) {
		free(slab);
		return -EAGAIN;
	}
	size_t places = c->cold.room + stacks;
	if (reserve(&c->cold, places) || reserve(&c->trimmed, places) || reserve(&c->warm, places)) {
		gev__sys.munmap(map, slab->size);
		free(slab);
		return -EAGAIN;
	}
	slab->map = map;
	slab->next = c->slabs;
	c->slabs = slab;
	c->fresh = c->guarded = first_place(c, map);
	c->fresh_end = c->fresh + stacks * c->total;
	c->by_mprotect = !gev__options()->guard;
	c->slab_stacks = stacks * 2 < SLAB_STACKS ? stacks * 2 : SLAB_STACKS;
	return 0;
}

/* One system call. False: it was refused, in part perhaps. ENOSYS before Linux 5.10, EINVAL where such advice is not for process_madvise(2) (6.13) or the
 * mapping is locked, EBADF where a process cannot name itself (6.14), EPERM by a seccomp filter: whatever it was, from now on it is one by one. */
static bool advise_together(struct gev__stack_pool *pool, const struct iovec *ranges, size_t n, int advice)
{
	size_t bytes = 0;
	for (size_t i = 0; i < n; i++)
		bytes += ranges[i].iov_len;
	if (!pool->one_by_one && gev__sys.process_madvise(PIDFD_SELF, ranges, n, advice, 0) != (ssize_t)bytes)
		pool->one_by_one = true;
	return !pool->one_by_one;
}

/* The next of the fresh places get their guard, one at least. */
static int guard_more(struct gev__stack_class *c)
{
	if (!c->by_mprotect) {
		struct iovec guards[GUARDED];
		size_t n = 0;
		for (char *at = c->guarded; n < GUARDED && at < c->fresh_end; at += c->total)
			guards[n++] = (struct iovec){.iov_base = at, .iov_len = c->guard};
		if (n > 1 && advise_together(c->pool, guards, n, MADV_GUARD_INSTALL)) {
			c->guarded += n * c->total;
			return 0;
		}
		if (gev__sys.madvise(c->guarded, c->guard, MADV_GUARD_INSTALL) == 0) {
			c->guarded += c->total;
			return 0;
		}
		/* EINVAL: an older kernel, or this slab is locked (mlockall), which the next may not be. */
		c->by_mprotect = true;
	}
	/* ENOMEM: vm.max_map_count is reached. */
	if (gev__sys.mprotect(c->guarded, c->guard, PROT_NONE))
		return -EAGAIN;
	c->guarded += c->total;
	return 0;
}

static int take_place(struct gev__stack_class *c, char **place)
{
	if (c->warm.n) {
		*place = c->warm.at[--c->warm.n];
		c->pool->kept -= c->usable;
		return 0;
	}
	if (c->trimmed.n) {
		*place = c->trimmed.at[--c->trimmed.n];
		c->pool->kept -= trimmed(c);
		return 0;
	}
	if (c->leaving.n) {
		*place = c->leaving.at[--c->leaving.n];
		c->pool->leaving -= c->usable;
		return 0;
	}
	if (c->cold.n) {
		*place = c->cold.at[--c->cold.n];
		return 0;
	}
	if (c->fresh == c->fresh_end) {
		int r = add_slab(c);
		if (r < 0)
			return r;
	}
	if (c->fresh == c->guarded) {
		int r = guard_more(c);
		if (r < 0)
			return r;
	}
	*place = c->fresh;
	c->fresh += c->total;
	return 0;
}

/* The class that serves such a request. NULL: no memory, or no memory could ever be enough. */
static struct gev__stack_class *class_for(struct gev__stack_pool *pool, size_t size, size_t guard)
{
	size_t page = page_size();
	if (size > SIZE_MAX / 4 || guard > SIZE_MAX / 4)
		return NULL;
	size = to_pages(size, page);
	guard = guard ? to_pages(guard, page) : page;
	/* Whoever wants `size` bytes above the guard asks for both, as glibc's own allocate_stack does for its callers since 2.27. */
	size_t total = size > guard + page ? size : size + guard;
	return find_class(pool, total, guard);
}

int gev__stack_get_slowly(struct gev__stack_pool *pool, size_t size, size_t guard, struct gev__stack *out)
{
	struct gev__stack_class *c = pool->last;
	if (c == NULL || size != pool->last_size || guard != pool->last_guard) {
		c = class_for(pool, size, guard);
		if (c == NULL)
			return -EAGAIN;
		pool->last = c;
		pool->last_size = size;
		pool->last_guard = guard;
	}
	char *place;
	int r = take_place(c, &place);
	if (r == 0)
		*out = gev__stack_at(c, place);
	return r;
}

/* By address: neighbours are one range, for guard markers survive MADV_DONTNEED (measured). It fails only in a locked mapping; then the memory stays. */
static void give_back(struct gev__stack_class *c)
{
	struct iovec ranges[LEAVING];
	size_t n = 0;
	const char *end = NULL; /* of the last range */
	for (size_t i = 0; i < c->leaving.n; i++) {
		char *place = c->leaving.at[i];
		if (n > 0 && place == end)
			ranges[n - 1].iov_len += c->total;
		else
			ranges[n++] = (struct iovec){.iov_base = place + c->guard, .iov_len = c->usable};
		end = place + c->total;
		c->cold.at[c->cold.n++] = place;
	}
	c->pool->leaving -= c->leaving.n * c->usable;
	c->leaving.n = 0;
	if (n > 1 && advise_together(c->pool, ranges, n, MADV_DONTNEED))
		return;
	for (size_t i = 0; i < n; i++)
		gev__sys.madvise(ranges[i].iov_base, ranges[i].iov_len, MADV_DONTNEED);
}

static void leave(struct gev__stack_class *c, char *place)
{
	struct gev__stack_places *leaving = &c->leaving;
	size_t i = leaving->n++;
	for (; i > 0 && leaving->at[i - 1] > place; i--)
		leaving->at[i] = leaving->at[i - 1];
	leaving->at[i] = place;
	c->pool->leaving += c->usable;
}

/* How deep its tenant went nobody knows, and asking (mincore(2)) costs what giving back does. So while few are unused they stay as they are; beyond
 * that each is trimmed, 0.4 us of system call for 256 KiB and 0.8 for 8 MiB, against 5 for one that must fault its first pages in again; beyond that
 * as many as may wait for one another are given back together. */
void gev__stack_put_slowly(struct gev__stack *stack)
{
	struct gev__stack_class *c = stack->class;
	if (c == NULL)
		return;
	struct gev__stack_pool *pool = c->pool;
	char *place = stack->lo - c->guard;
	size_t top = trimmed(c);
	if (pool->kept + top <= pool->may_keep - pool->may_leave) {
		if (top < c->usable)
			gev__sys.madvise(stack->lo, c->usable - top, MADV_DONTNEED);
		pool->kept += top;
		c->trimmed.at[c->trimmed.n++] = place;
		return;
	}
	leave(c, place);
	if (c->leaving.n < LEAVING && pool->leaving + c->usable <= pool->may_leave)
		return;
	for (c = pool->classes; c; c = c->next)
		if (c->leaving.n)
			give_back(c);
}

void gev__stack_pool_done(struct gev__stack_pool *pool)
{
	while (pool->classes) {
		struct gev__stack_class *c = pool->classes;
		pool->classes = c->next;
		while (c->slabs) {
			struct gev__stack_slab *slab = c->slabs;
			c->slabs = slab->next;
			gev__sys.munmap(slab->map, slab->size);
			free(slab);
		}
		free(c->warm.at);
		free(c->trimmed.at);
		free(c->leaving.at);
		free(c->cold.at);
		free(c);
	}
	pool->kept = pool->leaving = 0;
	pool->last = NULL;
}
