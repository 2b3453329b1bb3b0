/* Identities: thread-local storage of their own, malloc's cache shared, nothing leaked. */
#include <criterion/criterion.h>

#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/rseq.h>

#include "lib/context/identity.h"
#include "lib/context/thread-pointer.h"

static struct gev__identity_pool pool;
static __thread int local = 41;
static __thread unsigned char zeroed[100];

/* What one sees as the other identity. No call in between may switch back by itself. */
struct seen {
	int local;
	int zero;
	int error;
	pthread_t self;
	int cpu;
};

static __attribute__((noinline)) void look(struct seen *s)
{
	s->local = local++;
	s->zero = zeroed[50]++;
	s->error = errno;
	errno = 77;
	s->self = pthread_self();
	s->cpu = sched_getcpu();
	void *volatile p = malloc(100); /* volatile: or the compiler leaves both calls out */
	free(p);
}

static struct seen look_as(void *tp)
{
	struct seen s;
	void *own = gev__tp_get();
	gev__tp_set(tp);
	gev__identity_begin();
	look(&s);
	gev__tp_set(own);
	return s;
}

static void *get(void)
{
	void *tp;
	cr_assert_null(gev__identity_missing(), "%s", gev__identity_missing());
	cr_assert_eq(gev__identity_get(&pool, &tp), 0);
	return tp;
}

Test(identity, has_thread_local_storage_of_its_own)
{
	void *a = get(), *b = get();
	errno = 5;
	struct seen s = look_as(a);
	cr_expect_eq(s.local, 41);
	cr_expect_eq(s.zero, 0);
	cr_expect_eq(s.error, 0);
	cr_expect_eq((void *)s.self, gev__identity_self(a));
	cr_expect_geq(s.cpu, 0);
	cr_expect_eq(look_as(a).local, 42);
	cr_expect_eq(look_as(b).local, 41);
	cr_expect_eq(look_as(a).error, 77);
	cr_expect_eq(local, 41);
	cr_expect_eq(errno, 5);
}

Test(identity, a_used_one_comes_back_as_new)
{
	void *a = get();
	look_as(a);
	gev__identity_put(&pool, a);
	void *b = get();
	cr_expect_eq(a, b, "the pool gives the last one back");
	struct seen s = look_as(b);
	cr_expect_eq(s.local, 41);
	cr_expect_eq(s.zero, 0);
	cr_expect_eq(s.error, 0);
}

/* The kernel never writes there, because an identity is not registered: what it says is what libc believes. Newer versions of glibc leave whatever
 * was there before. */
Test(identity, says_that_it_is_not_registered_for_restartable_sequences)
{
	void *tp = get();
	uint32_t cpu[2] = {1, 1};
	if (__rseq_offset == 0)
		cr_skip("no such area in this libc");
	memset((char *)tp + __rseq_offset, 0xee, sizeof(struct rseq));
	gev__identity_put(&pool, tp);
	cr_assert_eq(get(), tp);
	memcpy(cpu, (char *)tp + __rseq_offset, sizeof cpu);
	cr_expect_eq(cpu[0], 0, "cpu_id_start: %u", cpu[0]);
	cr_expect_eq((int32_t)cpu[1], RSEQ_CPU_ID_REGISTRATION_FAILED, "cpu_id: %u", cpu[1]);
	cr_expect_geq(look_as(tp).cpu, 0, "the kernel is asked");
}

Test(identity, twenty_thousand_leak_nothing)
{
	for (int i = 0; i < 1000; i++) {
		void *tp = get();
		look_as(tp);
		gev__identity_put(&pool, tp);
	}
	size_t before = mallinfo2().uordblks;
	for (int i = 0; i < 20000; i++) {
		void *tp = get();
		look_as(tp);
		gev__identity_put(&pool, tp);
	}
	cr_expect_eq(mallinfo2().uordblks, before);
}

/* Alive all at once, so that no place serves twice: it is the shared cache that keeps them from leaking one each (12 KiB), and not that places are few. */
Test(identity, three_thousand_at_once_share_one_cache_of_malloc)
{
	enum { N = 3000 };
	static void *tp[N];
	size_t before = 0;
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < N; i++) {
			tp[i] = get();
			look_as(tp[i]);
		}
		for (int i = 0; i < N; i++)
			gev__identity_put(&pool, tp[i]);
		/* What the loader itself keeps is there after the first round. */
		if (round == 0)
			before = mallinfo2().uordblks;
		cr_expect_lt(mallinfo2().uordblks, before + N * 64, "round %d", round);
	}
	cr_expect_lt(before, (size_t)N * 6000, "%zu", before);
}

Test(identity, more_than_a_piece_holds)
{
	enum { N = 1200 }; /* more than fit into a piece, twice */
	static void *tp[N];
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < N; i++)
			tp[i] = get();
		for (int i = 0; i < N; i++)
			cr_assert_eq(look_as(tp[i]).local, 41);
		for (int i = 0; i < N; i++)
			gev__identity_put(&pool, tp[i]);
	}
	gev__identity_pool_done(&pool);
	cr_expect_eq(pool.in_use, 0);
	cr_expect_eq(pool.memory.pieces, 0);
}

Test(identity, is_written_by_system_call_too)
{
	setenv("GEV_FSGSBASE", "0", 1);
	void *a = get();
	cr_expect_eq((void *)look_as(a).self, gev__identity_self(a));
}

Test(identity, can_be_switched_off)
{
	setenv("GEV_IDENTITY", "0", 1);
	cr_expect_not_null(gev__identity_missing());
}
