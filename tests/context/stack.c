/* Stacks: usable to both ends, guarded below, reused, and refused cleanly. */
#include <criterion/criterion.h>

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "lib/base/sys.h"
#include "lib/context/stack.h"

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif

static struct gev__stack_pool pool;

static struct gev__stack get(size_t size)
{
	struct gev__stack s;
	cr_assert_eq(gev__stack_get(&pool, size, 0, &s), 0);
	return s;
}

Test(stack, every_byte_of_it_can_be_used)
{
	for (size_t size = 16384; size <= 1 << 20; size *= 2) {
		struct gev__stack s = get(size);
		memset(s.lo, 1, (size_t)(s.hi - s.lo));
		gev__stack_put(&s);
	}
}

Test(stack, below_it_is_a_guard, .signal = SIGSEGV)
{
	struct gev__stack s = get(65536);
	*(volatile char *)(s.lo - 1) = 1;
}

Test(stack, below_it_is_a_guard_by_mprotect_too, .signal = SIGSEGV)
{
	setenv("GEV_GUARD", "0", 1);
	struct gev__stack s = get(65536);
	*(volatile char *)(s.lo - 1) = 1;
}

Test(stack, a_locked_mapping_gets_its_guard_by_mprotect, .signal = SIGSEGV)
{
	/* MADV_GUARD_INSTALL fails there; RLIMIT_MEMLOCK may forbid mlockall, then the other tests have shown the same. */
	if (mlockall(MCL_FUTURE | MCL_ONFAULT))
		raise(SIGSEGV);
	struct gev__stack s = get(65536);
	*(volatile char *)(s.lo - 1) = 1;
}

/* ---- A kernel without guard markers, and one that has no mapping left ---- */

static int refused, refused_vectors, protected;

static int no_markers(void *address, size_t n, int advice)
{
	if (advice == MADV_GUARD_INSTALL) {
		refused++;
		errno = EINVAL;
		return -1;
	}
	return madvise(address, n, advice);
}

static int count_mprotect(void *address, size_t n, int protection)
{
	protected++;
	return mprotect(address, n, protection);
}

/* Before Linux 6.14 a process cannot name itself, and must be asked for range by range. */
static ssize_t no_vectors(int process, const struct iovec *v, size_t n, int advice, unsigned flags)
{
	refused_vectors++;
	errno = EBADF;
	return -1;
}

static int no_mprotect(void *address, size_t n, int protection)
{
	errno = ENOMEM;
	return -1;
}

Test(stack, an_older_kernel_is_asked_once_a_slab)
{
	gev__sys.madvise = no_markers;
	gev__sys.process_madvise = no_vectors;
	gev__sys.mprotect = count_mprotect;
	/* Slabs of 1, 2, 4, 8 and 16 stacks. */
	for (int i = 0; i < 31; i++)
		get(65536);
	cr_expect_eq(refused, 5, "%d", refused);
	cr_expect_eq(protected, 31, "%d", protected);
	cr_expect_eq(refused_vectors, 1, "%d", refused_vectors);
}

Test(stack, an_older_kernel_guards_by_mprotect, .signal = SIGSEGV)
{
	gev__sys.madvise = no_markers;
	gev__sys.process_madvise = no_vectors;
	struct gev__stack s = get(65536);
	*(volatile char *)(s.lo - 1) = 1;
}

Test(stack, one_that_cannot_be_guarded_is_not_given_out)
{
	gev__sys.madvise = no_markers;
	gev__sys.process_madvise = no_vectors;
	gev__sys.mprotect = no_mprotect;
	struct gev__stack s;
	cr_expect_eq(gev__stack_get(&pool, 65536, 0, &s), -EAGAIN);
	gev__sys.mprotect = mprotect;
	cr_expect_eq(gev__stack_get(&pool, 65536, 0, &s), 0, "and its place is not lost");
}

Test(stack, guards_survive_the_cold_cache, .signal = SIGSEGV)
{
	setenv("GEV_STACK_CACHE", "0", 1);
	struct gev__stack s = get(65536);
	*(volatile char *)s.lo = 1;
	gev__stack_put(&s);
	struct gev__stack again = get(65536);
	cr_assert_eq(again.lo, s.lo);
	cr_assert_eq(*(volatile char *)again.lo, 0, "its memory was given back");
	*(volatile char *)(again.lo - 1) = 1;
}

Test(stack, the_last_one_given_back_comes_first)
{
	struct gev__stack a = get(65536), b = get(65536);
	gev__stack_put(&a);
	gev__stack_put(&b);
	cr_expect_eq(get(65536).lo, b.lo);
	cr_expect_eq(get(65536).lo, a.lo);
}

Test(stack, stacks_do_not_overlap)
{
	enum { N = 300 };
	static struct gev__stack s[N];
	for (int i = 0; i < N; i++) {
		s[i] = get(65536);
		memset(s[i].lo, i, (size_t)(s[i].hi - s[i].lo));
	}
	for (int i = 0; i < N; i++) {
		cr_expect_eq((unsigned char)s[i].lo[0], i & 255);
		cr_expect_eq((unsigned char)s[i].hi[-1], i & 255);
	}
	gev__stack_pool_done(&pool);
}

/* AddressSanitizer's own shadow memory counts in what these two look at. */
#if defined(__SANITIZE_ADDRESS__)
#define SKIP_UNDER_ASAN() cr_skip("the sanitizer's memory counts too")
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SKIP_UNDER_ASAN() cr_skip("the sanitizer's memory counts too")
#endif
#endif
#ifndef SKIP_UNDER_ASAN
#define SKIP_UNDER_ASAN() ((void)0)
#endif

Test(stack, no_address_space_is_EAGAIN_and_small_slabs_still_fit)
{
	SKIP_UNDER_ASAN();
	struct rlimit limit = {(size_t)400 << 20, (size_t)400 << 20};
	cr_assert_eq(setrlimit(RLIMIT_AS, &limit), 0);
	int n = 0;
	struct gev__stack s;
	while (gev__stack_get(&pool, (size_t)8 << 20, 0, &s) == 0)
		n++;
	cr_expect(n > 20 && n < 60, "%d", n);
	cr_expect_eq(gev__stack_get(&pool, (size_t)8 << 20, 0, &s), -EAGAIN);
	cr_expect_eq(gev__stack_get(&pool, SIZE_MAX, 0, &s), -EAGAIN);
}

/* ---- Memory ---- */

static size_t resident(char *lo, char *hi)
{
	enum { PAGE = 4096 };
	static unsigned char pages[4096];
	size_t n = (size_t)(hi - lo) / PAGE, found = 0;
	cr_assert_leq(n, sizeof pages);
	cr_assert_eq(mincore(lo, (size_t)(hi - lo), pages), 0);
	for (size_t i = 0; i < n; i++)
		found += pages[i] & 1;
	return found * PAGE;
}

Test(stack, unused_ones_keep_no_more_than_their_bytes)
{
	enum { N = 64, SIZE = 1 << 20, BOUND = 4 << 20 };
	setenv("GEV_STACK_CACHE", "4194304", 1);
	static struct gev__stack s[N];
	for (int round = 0; round < 3; round++) {
		size_t kept = 0;
		for (int i = 0; i < N; i++) {
			s[i] = get(SIZE);
			memset(s[i].lo, 1, (size_t)(s[i].hi - s[i].lo));
		}
		for (int i = 0; i < N; i++)
			gev__stack_put(&s[i]);
		for (int i = 0; i < N; i++)
			kept += resident(s[i].lo, s[i].hi);
		/* Two stacks whole, as many as the half has room for; trimmed to 64 KiB as many as then leave an eighth of it; and the others empty. */
		cr_expect_leq(kept, BOUND, "%zu", kept);
		cr_expect_geq(kept, BOUND * 3 / 4, "%zu: they are kept as far as they may be", kept);
		cr_expect_leq(pool.kept, BOUND);
	}
	gev__stack_pool_done(&pool);
	cr_expect_eq(pool.kept, 0);
}

Test(stack, a_trimmed_one_keeps_its_top)
{
	setenv("GEV_STACK_CACHE", "131072", 1);
	struct gev__stack s = get(1 << 20);
	memset(s.lo, 1, (size_t)(s.hi - s.lo));
	gev__stack_put(&s);
	cr_expect_eq(resident(s.lo, s.hi), 65536);
	cr_expect_eq(s.hi[-1], 1);
}

/* ---- Many in one call ---- */

static int together, alone;

static ssize_t count_together(int process, const struct iovec *v, size_t n, int advice, unsigned flags)
{
	together++;
	return syscall(SYS_process_madvise, process, v, n, advice, flags);
}

/* The kernel stops where a range is not to its liking. */
static ssize_t only_the_first(int process, const struct iovec *v, size_t n, int advice, unsigned flags)
{
	together++;
	return madvise(v->iov_base, v->iov_len, advice) ? -1 : (ssize_t)v->iov_len;
}

static int count_alone(void *address, size_t n, int advice)
{
	alone += advice != MADV_NOHUGEPAGE;
	return madvise(address, n, advice);
}

static bool is_guarded(const struct gev__stack *s)
{
	int ends[2];
	cr_assert_eq(pipe(ends), 0);
	bool above = write(ends[1], s->lo, 1) == 1;
	bool below = write(ends[1], s->lo - 1, 1) == 1;
	close(ends[0]);
	close(ends[1]);
	return above && !below;
}

/* Whether this kernel takes vectors of advice from the process itself. */
static bool has_vectors(void)
{
	static char *at;
	if (at == NULL)
		at = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct iovec v[] = {{at, 4096}, {at + 2 * 4096, 4096}};
	return syscall(SYS_process_madvise, -10000, v, (size_t)2, MADV_GUARD_INSTALL, 0) == 2 * 4096;
}

enum { MANY = 300, SMALL = 65536, CACHE = 8 << 20 };

/* Each is asked for, used, given back in an order that leaves neighbours and gaps, and asked for again. What they keep meanwhile. */
static size_t go_round(void)
{
	static struct gev__stack s[MANY];
	size_t most = 0;
	for (int i = 0; i < MANY; i++) {
		s[i] = get(SMALL);
		memset(s[i].lo, 1, (size_t)(s[i].hi - s[i].lo));
	}
	for (int i = 0; i < MANY; i++) {
		enum { STEP = 7 }; /* no divisor of MANY: each once */
		gev__stack_put(&s[i * STEP % MANY]);
		size_t kept = 0;
		if (i % 25 == 24 || i == MANY - 1)
			for (int j = 0; j <= i; j++)
				kept += resident(s[j * STEP % MANY].lo, s[j * STEP % MANY].hi);
		most = kept > most ? kept : most;
	}
	for (int i = 0; i < MANY; i++) {
		s[i] = get(SMALL);
		cr_assert(is_guarded(&s[i]), "number %d", i);
	}
	for (int i = 0; i < MANY; i++)
		gev__stack_put(&s[i]);
	return most;
}

static void keep_within(void)
{
	setenv("GEV_STACK_CACHE", "8388608", 1);
	gev__sys.madvise = count_alone;
	for (int round = 0; round < 2; round++) {
		size_t most = go_round();
		cr_expect_leq(most, CACHE, "%zu", most);
		cr_expect_geq(most, CACHE * 3 / 4, "%zu", most);
	}
	gev__stack_pool_done(&pool);
	cr_expect_eq(pool.leaving, 0);
}

Test(stack, guards_and_memory_given_back_go_many_to_a_call)
{
	if (!has_vectors())
		cr_skip("this kernel takes no vectors of advice");
	gev__sys.process_madvise = count_together;
	keep_within();
	/* 300 guards, and 160 or more stacks too many in each of 4 rounds of giving back. */
	cr_expect_lt(together + alone, 140, "%d and %d", together, alone);
	cr_expect_gt(together, 20, "%d", together);
}

Test(stack, neighbours_given_back_together_are_one_range)
{
	setenv("GEV_STACK_CACHE", "8388608", 1);
	static struct gev__stack s[MANY];
	for (int i = 0; i < MANY; i++)
		s[i] = get(SMALL);
	gev__sys.process_madvise = no_vectors;
	gev__sys.madvise = count_alone;
	for (int i = MANY; i-- > 0;)
		gev__stack_put(&s[i]);
	/* An eighth of the cache is 17 stacks, so some ten times it is full. */
	cr_expect_geq(alone, 10, "%d", alone);
	cr_expect_lt(alone, 30, "%d", alone);
}

Test(stack, where_the_kernel_takes_no_vectors_it_is_asked_once)
{
	gev__sys.process_madvise = no_vectors;
	keep_within();
	cr_expect_eq(refused_vectors, 1, "%d", refused_vectors);
	cr_expect_geq(alone, MANY, "%d", alone);
}

Test(stack, where_the_kernel_stops_in_the_middle_all_of_it_is_done_all_the_same)
{
	gev__sys.process_madvise = only_the_first;
	keep_within();
	cr_expect_eq(together, 1, "%d", together);
	cr_expect_geq(alone, MANY, "%d", alone);
}

static int lines_of(const char *path)
{
	FILE *f = fopen(path, "r");
	int n = 0;
	for (int c; f && (c = getc(f)) != EOF;)
		n += c == '\n';
	if (f)
		fclose(f);
	return n;
}

Test(stack, markers_do_not_split_the_mapping)
{
	/* A kernel before 6.13 has none; then mprotect splits, and that is known. */
	struct gev__stack first = get(65536);
	if (madvise(first.lo - 4096, 4096, MADV_GUARD_INSTALL))
		cr_skip("this kernel has no guard markers");
	int before = lines_of("/proc/self/maps");
	for (int i = 0; i < 2000; i++)
		get(65536);
	cr_expect_lt(lines_of("/proc/self/maps"), before + 100);
}

static bool flag_of_mapping(const void *inside, const char *flag)
{
	FILE *f = fopen("/proc/self/smaps", "r");
	char line[512];
	bool here = false, found = false;
	while (f && fgets(line, sizeof line, f)) {
		unsigned long lo, hi;
		if (sscanf(line, "%lx-%lx ", &lo, &hi) == 2)
			here = (uintptr_t)inside >= lo && (uintptr_t)inside < hi;
		else if (here && strncmp(line, "VmFlags:", 8) == 0)
			found = strstr(line, flag) != NULL;
	}
	if (f)
		fclose(f);
	return found;
}

Test(stack, transparent_huge_pages_stay_away)
{
	/* VmFlags of proc_pid_smaps(5): "nh" no huge page advise. */
	cr_expect(flag_of_mapping(get((size_t)8 << 20).lo, " nh"));
	cr_expect(flag_of_mapping(get(65536).lo, " nh"));
}

static long status_kib(const char *key)
{
	FILE *f = fopen("/proc/self/status", "r");
	char line[128];
	long value = -1;
	while (f && fgets(line, sizeof line, f))
		if (strncmp(line, key, strlen(key)) == 0)
			value = strtol(line + strlen(key) + 1, NULL, 10);
	if (f)
		fclose(f);
	return value;
}

Test(stack, a_big_stack_that_uses_a_page_costs_one_page_table)
{
	SKIP_UNDER_ASAN();
	enum { N = 512 };
	long before = status_kib("VmPTE");
	for (int i = 0; i < N; i++)
		get((size_t)8 << 20).hi[-1] = 1;
	long tables = status_kib("VmPTE") - before;
	/* 4 KiB each, and a little for the upper levels; badly laid out it would be 8. */
	cr_expect(tables < N * 5, "%ld KiB for %d stacks", tables, N);
}
