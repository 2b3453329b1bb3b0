/* Stacks: usable to both ends, guarded below, reused, and refused cleanly. */
#include <criterion/criterion.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "lib/base/sys.h"
#include "lib/context/stack.h"

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
