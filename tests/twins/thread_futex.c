/* syscall(SYS_futex, ...), as runtimes with locks of their own make it: wait and wake, the value that differs, time-outs
 * relative and absolute, bit sets, requeue, and what it answers to nonsense. */
#include <linux/futex.h>
#include <sys/syscall.h>

#include "twin.h"

enum { WAITERS = 10 };

static uint32_t word, other;
static sem_t here;
static int passed;

static long futex(uint32_t *address, int op, uint32_t value, const struct timespec *time, uint32_t *second,
		  uint32_t third)
{
	return syscall(SYS_futex, address, op, value, time, second, third);
}

static void *wait_change(void *arg)
{
	sem_post(&here);
	while (__atomic_load_n(&word, __ATOMIC_ACQUIRE) == 0) {
		long r = futex(&word, FUTEX_WAIT | (arg ? FUTEX_PRIVATE_FLAG : 0), 0, NULL, NULL, 0);
		check(r == 0 || errno == EAGAIN || errno == EINTR);
	}
	__atomic_add_fetch(&passed, 1, __ATOMIC_RELAXED);
	return NULL;
}

static void *wait_bits(void *arg)
{
	struct timespec until = after(CLOCK_MONOTONIC, 10);
	sem_post(&here);
	while (__atomic_load_n(&other, __ATOMIC_ACQUIRE) == 0)
		futex(&other, FUTEX_WAIT_BITSET_PRIVATE, 0, &until, NULL, (uint32_t)(long)arg);
	return NULL;
}

static void wait_and_wake(long private)
{
	pthread_t t[WAITERS];
	word = 0;
	passed = 0;
	for (int i = 0; i < WAITERS; i++)
		t[i] = spawn(wait_change, (void *)private);
	for (int i = 0; i < WAITERS; i++)
		wait_for(&here);
	report_threads();
	__atomic_store_n(&word, 1, __ATOMIC_RELEASE);
	check(futex(&word, FUTEX_WAKE | (private ? FUTEX_PRIVATE_FLAG : 0), INT32_MAX, NULL, NULL, 0) >= 0);
	for (int i = 0; i < WAITERS; i++)
		join(t[i]);
	printf("%s: %d passed\n", private ? "private" : "shared", passed);
}

int main(void)
{
	sem_init(&here, 0, 0);
	wait_and_wake(1);
	wait_and_wake(0);

	pthread_t a = spawn(wait_bits, (void *)1), b = spawn(wait_bits, (void *)2);
	wait_for(&here);
	wait_for(&here);
	struct timespec soon = {0, 30000000}, wrong = {0, 1000000000}, past = {0, 1};
	double began = now();
	word = 5;
	show(futex(&word, FUTEX_WAIT_PRIVATE, 4, NULL, NULL, 0));
	show(futex(&word, FUTEX_WAIT_PRIVATE, 5, &soon, NULL, 0));
	soon = after(CLOCK_MONOTONIC, 0.03);
	show(futex(&word, FUTEX_WAIT_BITSET_PRIVATE, 5, &soon, NULL, FUTEX_BITSET_MATCH_ANY));
	soon = after(CLOCK_REALTIME, 0.03);
	show(futex(&word, FUTEX_WAIT_BITSET_PRIVATE | FUTEX_CLOCK_REALTIME, 5, &soon, NULL, FUTEX_BITSET_MATCH_ANY));
	check(now() - began >= 0.089);
	show(futex(&word, FUTEX_WAIT_BITSET_PRIVATE, 5, &past, NULL, FUTEX_BITSET_MATCH_ANY));
	show(futex(&word, FUTEX_WAIT_PRIVATE, 5, &wrong, NULL, 0));
	show(futex(&word, FUTEX_WAIT_BITSET_PRIVATE, 5, NULL, NULL, 0));
	show(futex(&word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0));
	show(futex(&word, 99, 1, NULL, NULL, 0));
	show(futex((uint32_t *)((char *)&word + 1), FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0));
	__atomic_store_n(&other, 1, __ATOMIC_RELEASE);
	/* Waking more than those is allowed (futex(2): for nothing), so the number is not shown. */
	check(futex(&other, FUTEX_WAKE_BITSET_PRIVATE, INT32_MAX, NULL, NULL, 1) >= 0);
	join(a);
	check(futex(&other, FUTEX_WAKE_BITSET_PRIVATE, INT32_MAX, NULL, NULL, 2) >= 0);
	join(b);
	puts("each by its own bit");
	show(syscall(SYS_getpid) == getpid());
	show(syscall(100000));
	return 0;
}
