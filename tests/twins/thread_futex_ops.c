/* syscall(SYS_futex, ...) beyond wait and wake: bit sets, requeue, compare and requeue, wake and change; numbers and order. */
#include <linux/futex.h>
#include <sys/syscall.h>

#include "twin.h"

enum { WAITERS = 6 };
static uint32_t word, other;
static sem_t here, passed;
static uint32_t bits_of[WAITERS];

static long futex(uint32_t *address, int op, uint32_t value, unsigned long time, uint32_t *second, uint32_t third)
{
	return syscall(SYS_futex, address, op, value, time, second, third);
}

static void *wait_bits(void *arg)
{
	uint32_t bits = bits_of[(long)arg];
	sem_post(&here);
	check(futex(&word, FUTEX_WAIT_BITSET_PRIVATE, 1, 0, NULL, bits) == 0);
	sem_post(&passed);
	return NULL;
}

static void begin(pthread_t t[WAITERS])
{
	__atomic_store_n(&word, 1, __ATOMIC_SEQ_CST);
	for (long i = 0; i < WAITERS; i++)
		t[i] = spawn(wait_bits, (void *)i);
	for (int i = 0; i < WAITERS; i++)
		wait_for(&here);
}

static void end(pthread_t t[WAITERS])
{
	for (int i = 0; i < WAITERS; i++)
		join(t[i]);
	for (int i = 0; i < WAITERS; i++)
		check(sem_trywait(&passed) == 0);
	check(sem_trywait(&passed) < 0);
}

/* Wakes until that many have been woken in all: those who are about to wait may not be there yet. */
static void wake_in_all(uint32_t *at, int op, int n, uint32_t bits)
{
	for (int woken = 0; woken < n;) {
		long r = futex(at, op, (uint32_t)(n - woken), 0, NULL, bits);
		check(r >= 0);
		woken += (int)r;
	}
	for (int i = 0; i < n; i++)
		wait_for(&passed);
	for (int i = 0; i < n; i++)
		sem_post(&passed);
}

static void by_bits(void)
{
	pthread_t t[WAITERS];
	for (int i = 0; i < WAITERS; i++)
		bits_of[i] = i < 3 ? 1 : i < 5 ? 2 : FUTEX_BITSET_MATCH_ANY;
	begin(t);
	report_threads();
	wake_in_all(&word, FUTEX_WAKE_BITSET_PRIVATE, 4, 1); /* the three, and the one that takes any */
	show(futex(&word, FUTEX_WAKE_BITSET_PRIVATE, 10, 0, NULL, 4));
	show(futex(&word, FUTEX_WAKE_BITSET_PRIVATE, 10, 0, NULL, 1));
	wake_in_all(&word, FUTEX_WAKE_PRIVATE, 2, 0);
	show(futex(&word, FUTEX_WAKE_BITSET_PRIVATE, 10, 0, NULL, 0));
	show(futex(&word, FUTEX_WAIT_BITSET_PRIVATE, 1, 0, NULL, 0));
	end(t);
}

/* Moved until all are under the other word, and woken there. */
static void by_requeue(int op)
{
	pthread_t t[WAITERS];
	for (int i = 0; i < WAITERS; i++)
		bits_of[i] = FUTEX_BITSET_MATCH_ANY;
	begin(t);
	show(futex(&word, FUTEX_CMP_REQUEUE_PRIVATE, 0, 10, &other, 2)); /* the word is 1 */
	for (int moved = 0; moved < WAITERS;) {
		long r = futex(&word, op, 0, 100, &other, 1);
		check(r >= 0);
		moved += (int)r;
	}
	show(futex(&word, FUTEX_WAKE_PRIVATE, 100, 0, NULL, 0));
	show(futex(&other, FUTEX_WAKE_PRIVATE, 2, 0, NULL, 0));
	show(futex(&other, FUTEX_REQUEUE_PRIVATE, 1, 1, &word, 0));
	show(futex(&other, FUTEX_WAKE_PRIVATE, 100, 0, NULL, 0));
	show(futex(&word, FUTEX_WAKE_PRIVATE, 100, 0, NULL, 0));
	end(t);
}

static uint32_t second;

static void by_wake_op(void)
{
	pthread_t t[WAITERS];
	static const struct {
		int op, with, comparison, against;
	} table[] = {
		{FUTEX_OP_SET, 7, FUTEX_OP_CMP_EQ, 5},
		{FUTEX_OP_ADD, 3, FUTEX_OP_CMP_NE, 7},
		{FUTEX_OP_OR, 16, FUTEX_OP_CMP_LT, 11},
		{FUTEX_OP_ANDN, 2, FUTEX_OP_CMP_LE, 26},
		{FUTEX_OP_XOR, 1, FUTEX_OP_CMP_GT, 24},
		{FUTEX_OP_ADD, -30, FUTEX_OP_CMP_GE, 26},
		{FUTEX_OP_SET | FUTEX_OP_OPARG_SHIFT, 5, FUTEX_OP_CMP_LT, 0},
	};
	second = 5;
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		begin(t);
		for (int moved = 0; moved < WAITERS;) /* all of them wait for certain, and some under the other word */
			moved += (int)futex(&word, FUTEX_REQUEUE_PRIVATE, 0, 100, &other, 0);
		check(futex(&other, FUTEX_REQUEUE_PRIVATE, 0, 2, &second, 0) == 2);
		uint32_t code = FUTEX_OP(table[i].op, table[i].with, table[i].comparison, table[i].against);
		long r = futex(&other, FUTEX_WAKE_OP_PRIVATE, 3, 10, &second, code);
		printf("op %d: %ld woken, then %d\n", table[i].op, r, (int)second);
		r = futex(&other, FUTEX_WAKE_PRIVATE, 100, 0, NULL, 0) +
		    futex(&second, FUTEX_WAKE_PRIVATE, 100, 0, NULL, 0);
		printf("and %ld\n", r);
		end(t);
	}
	show(futex(&word, FUTEX_WAKE_OP_PRIVATE, 1, 1, &second, 0x7fffffff));
}

int main(void)
{
	sem_init(&here, 0, 0);
	sem_init(&passed, 0, 0);
	by_bits();
	by_requeue(FUTEX_REQUEUE_PRIVATE);
	by_requeue(FUTEX_CMP_REQUEUE_PRIVATE);
	by_wake_op();
	return 0;
}
