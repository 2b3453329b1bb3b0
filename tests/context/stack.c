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

static int refused, protected;

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

static int no_mprotect(void *address, size_t n, int protection)
{
	errno = ENOMEM;
	return -1;
}

Test(stack, an_older_kernel_is_asked_once_a_slab)
{
	gev__sys.madvise = no_markers;
	gev__sys.mprotect = count_mprotect;
	/* Slabs of 1, 2, 4, 8 and 16 stacks. */
	for (int i = 0; i < 31; i++)
		get(65536);
	cr_expect_eq(refused, 5, "%d", refused);
	cr_expect_eq(protected, 31, "%d", protected);
}

Test(stack, an_older_kernel_guards_by_mprotect, .signal = SIGSEGV)
{
	gev__sys.madvise = no_markers;
	struct gev__stack s = get(65536);
	*(volatile char *)(s.lo - 1) = 1;
}

Test(stack, one_that_cannot_be_guarded_is_not_given_out)
{
	gev__sys.madvise = no_markers;
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
		/* One stack whole (two would be above the half), 47 trimmed to 64 KiB, and the others empty. */
		cr_expect_leq(kept, BOUND, "%zu", kept);
		cr_expect_geq(kept, BOUND * 3 / 4, "%zu: they are kept as far as they may be", kept);
		cr_expect_leq(pool.kept, BOUND);
	}
	gev__stack_pool_done(&pool);
	cr_expect_eq(pool.kept, 0);
}

Test(stack, a_trimmed_one_keeps_its_top)
{
	setenv("GEV_STACK_CACHE", "65536", 1);
	struct gev__stack s = get(1 << 20);
	memset(s.lo, 1, (size_t)(s.hi - s.lo));
	gev__stack_put(&s);
	cr_expect_eq(resident(s.lo, s.hi), 65536);
	cr_expect_eq(s.hi[-1], 1);
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
