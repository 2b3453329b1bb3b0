/* syscall(SYS_futex, ...) with priority inheritance: lock, try and unlock with the caller's number in the word, deadlines and deadlocks, an owner that
 * ends, wait and requeue, a word of two processes. */
#include <linux/futex.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "twin.h"

#ifndef FUTEX_LOCK_PI2
#define FUTEX_LOCK_PI2 13
#endif

enum { WORKERS = 4, ROUNDS = 300 };
static uint32_t word, other;
static sem_t here, go;

static long futex(uint32_t *address, int op, uint32_t value, const void *time, uint32_t *second, uint32_t third)
{
	return syscall(SYS_futex, address, op | FUTEX_PRIVATE_FLAG, value, time, second, third);
}

static uint32_t seen(const uint32_t *address)
{
	return __atomic_load_n(address, __ATOMIC_SEQ_CST);
}

static void show_word(const char *when)
{
	uint32_t now = seen(&word), owner = now & FUTEX_TID_MASK;
	printf("%s: owner %s,%s%s\n", when,
	       owner == 0                    ? "none"
	       : owner == (uint32_t)gettid() ? "me"
					     : "another",
	       now & FUTEX_WAITERS ? " waiters" : "", now & FUTEX_OWNER_DIED ? " died" : "");
}

/* As a lock of a program's would: the kernel comes in only when it is contended. */
static void take(uint32_t *address)
{
	uint32_t free = 0;
	if (!__atomic_compare_exchange_n(address, &free, (uint32_t)gettid(), false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		check(futex(address, FUTEX_LOCK_PI, 0, NULL, NULL, 0) == 0);
	check((seen(address) & FUTEX_TID_MASK) == (uint32_t)gettid());
}

static void give(uint32_t *address)
{
	uint32_t mine = (uint32_t)gettid();
	if (!__atomic_compare_exchange_n(address, &mine, 0, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		check(futex(address, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0) == 0);
}

/* ---- Many take turns ---- */

static int inside, rounds;

static void *work(void *arg)
{
	for (int i = 0; i < ROUNDS; i++) {
		take(&word);
		check(inside++ == 0);
		if (i % 16 == 0)
			usleep(1); /* the others come and wait */
		inside--;
		rounds++;
		give(&word);
	}
	return arg;
}

static void turns(void)
{
	pthread_t t[WORKERS];
	take(&word);
	for (int i = 0; i < WORKERS; i++)
		t[i] = spawn(work, NULL);
	while (!(seen(&word) & FUTEX_WAITERS))
		usleep(100);
	report_threads();
	give(&word);
	for (int i = 0; i < WORKERS; i++)
		join(t[i]);
	printf("%d rounds\n", rounds);
	show_word("afterwards");
}

/* ---- What is refused ---- */

static void *try_another(void *arg)
{
	struct timespec past = {.tv_sec = 1}, never = {.tv_nsec = -1};
	struct timespec soon = after(CLOCK_REALTIME, 0.02), soon2 = after(CLOCK_MONOTONIC, 0.02);
	show(futex(&word, FUTEX_TRYLOCK_PI, 0, NULL, NULL, 0));
	show(futex(&word, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0));
	show_word("held");
	show(futex(&word, FUTEX_LOCK_PI, 0, &past, NULL, 0));
	show(futex(&word, FUTEX_LOCK_PI, 0, &never, NULL, 0));
	show(futex(&word, FUTEX_LOCK_PI, 0, &soon, NULL, 0));
	show(futex(&word, FUTEX_LOCK_PI2, 0, &soon2, NULL, 0));
	show(futex(&word, FUTEX_LOCK_PI | FUTEX_CLOCK_REALTIME, 0, &soon, NULL, 0));
	return arg;
}

/* Holds the other word, and wants the first. */
static void *cross(void *arg)
{
	take(&other);
	sem_post(&here);
	take(&word);
	give(&word);
	give(&other);
	return arg;
}

static void *end_now(void *arg)
{
	*(uint32_t *)arg = (uint32_t)gettid();
	return NULL;
}

/* The mark of those who wait is there a moment before the kernel counts its owner among them, and who closes a circle would be he. A green thread is
 * not in that table: nobody else runs in that moment. */
static void until_it_sleeps(uint32_t tid)
{
	char path[64], line[256], state = 0;
	snprintf(path, sizeof path, "/proc/self/task/%u/stat", tid);
	while (state != 'S') {
		FILE *f = fopen(path, "r");
		if (f == NULL)
			return;
		check(fgets(line, sizeof line, f) && sscanf(line, "%*d (%*[^)]) %c", &state) == 1);
		fclose(f);
		sched_yield();
	}
}

static void refusals(void)
{
	take(&word);
	show(futex(&word, FUTEX_LOCK_PI, 0, NULL, NULL, 0));
	show(futex(&word, FUTEX_TRYLOCK_PI, 0, NULL, NULL, 0));
	join(spawn(try_another, NULL));
	give(&word);
	take(&word); /* without the mark of those who waited */
	pthread_t t = spawn(cross, NULL);
	wait_for(&here);
	while (!(seen(&word) & FUTEX_WAITERS))
		usleep(100);
	until_it_sleeps(seen(&other) & FUTEX_TID_MASK);
	show(futex(&other, FUTEX_LOCK_PI, 0, NULL, NULL, 0));
	check(futex(&word, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0) == 0);
	join(t);
	show(futex(&word, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0));
	uint32_t gone;
	join(spawn(end_now, &gone));
	while (syscall(SYS_tkill, gone, 0) == 0)
		sched_yield();
	word = gone;
	show(futex(&word, FUTEX_LOCK_PI, 0, NULL, NULL, 0));
	word = FUTEX_OWNER_DIED;
	show(futex(&word, FUTEX_LOCK_PI, 0, NULL, NULL, 0));
	show_word("from a dead one");
	show(futex(&word, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0));
	show(seen(&word));
	show(futex((uint32_t *)((char *)&word + 1), FUTEX_LOCK_PI, 0, NULL, NULL, 0));
}

/* ---- An owner that ends, and signals ---- */

static volatile int handled;

static void handle(int sig)
{
	(void)sig;
	handled++;
}

static void *inherit(void *arg)
{
	sem_post(&here);
	take(&word);
	show_word("inherited");
	printf("a handler ran: %d\n", handled);
	check(futex(&word, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0) == 0);
	return arg;
}

static void *leave_locked(void *arg)
{
	take(&word);
	sem_post(&here);
	wait_for(&go);
	return arg;
}

static void heirs(void)
{
	pthread_t owner = spawn(leave_locked, NULL);
	wait_for(&here);
	pthread_t heir = spawn(inherit, NULL);
	wait_for(&here);
	while (!(seen(&word) & FUTEX_WAITERS))
		usleep(100);
	pthread_kill(heir, SIGUSR1);
	while (!handled)
		usleep(100);
	sem_post(&go);
	join(owner);
	join(heir);
	show(seen(&word));
}

/* ---- Wait and requeue ---- */

static uint32_t turnstile;

static void *wait_moved(void *arg)
{
	sem_post(&here);
	check(futex(&turnstile, FUTEX_WAIT_REQUEUE_PI, 7, NULL, &word, 0) == 0);
	check((seen(&word) & FUTEX_TID_MASK) == (uint32_t)gettid());
	check(inside++ == 0);
	usleep(1);
	inside--;
	rounds++;
	give(&word);
	return arg;
}

static void *wait_too_long(void *arg)
{
	struct timespec soon = after(CLOCK_MONOTONIC, 0.02);
	show(futex(&turnstile, FUTEX_WAIT_REQUEUE_PI, 7, &soon, &word, 0));
	show(futex(&turnstile, FUTEX_WAIT_REQUEUE_PI, 8, &soon, &word, 0));
	show(futex(&turnstile, FUTEX_WAIT_REQUEUE_PI, 7, &soon, &turnstile, 0));
	return arg;
}

static void requeue(bool locked)
{
	pthread_t t[WORKERS];
	turnstile = 7;
	rounds = 0;
	for (int i = 0; i < WORKERS; i++) {
		t[i] = spawn(wait_moved, NULL);
		wait_for(&here);
	}
	if (locked)
		take(&word);
	show(futex(&turnstile, FUTEX_CMP_REQUEUE_PI, 1, (void *)100, &word, 8));
	show(futex(&turnstile, FUTEX_CMP_REQUEUE_PI, 2, (void *)100, &word, 7));
	show(futex(&turnstile, FUTEX_CMP_REQUEUE_PI, 1, (void *)100, &turnstile, 7));
	for (int moved = 0; moved < WORKERS;) {
		long r = futex(&turnstile, FUTEX_CMP_REQUEUE_PI, 1, (void *)(locked ? 0L : 100L), &word, 7);
		check(r >= 0 && (!locked || r <= 1));
		moved += (int)r;
	}
	if (locked)
		give(&word);
	for (int i = 0; i < WORKERS; i++)
		join(t[i]);
	printf("%d had it\n", rounds);
	show(seen(&word));
}

/* ---- Shared with another process ---- */

static uint32_t *shared;
static int told[2], gate[2];

static void take_shared(void)
{
	uint32_t free = 0;
	if (!__atomic_compare_exchange_n(shared, &free, (uint32_t)gettid(), false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		check(syscall(SYS_futex, shared, FUTEX_LOCK_PI, 0, NULL, NULL, 0) == 0);
	check((seen(shared) & FUTEX_TID_MASK) == (uint32_t)gettid());
}

static void give_shared(void)
{
	uint32_t mine = (uint32_t)gettid();
	if (!__atomic_compare_exchange_n(shared, &mine, 0, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		check(syscall(SYS_futex, shared, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0) == 0);
}

static void *take_from_child(void *arg)
{
	struct timespec soon = after(CLOCK_REALTIME, 0.02);
	show(syscall(SYS_futex, shared, FUTEX_LOCK_PI, 0, &soon, NULL, 0));
	sem_post(&here);
	take_shared();
	puts("from the child");
	give_shared();
	return arg;
}

static void between_processes(void)
{
	char byte = 0;
	shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	check(shared != MAP_FAILED && pipe(told) == 0 && pipe(gate) == 0);
	fflush(NULL);
	pid_t child = fork();
	if (child == 0) {
		take_shared();
		write_all(told[1], &byte, 1);
		read_all(gate[0], &byte, 1);
		give_shared();
		_exit(0);
	}
	read_all(told[0], &byte, 1);
	pthread_t t = spawn(take_from_child, NULL);
	wait_for(&here);
	write_all(gate[1], &byte, 1); /* natively and preloaded: main goes on while the other waits */
	join(t);
	check(waitpid(child, NULL, 0) == child);
	show(seen(shared));
}

int main(void)
{
	signal(SIGUSR1, handle);
	sem_init(&here, 0, 0);
	sem_init(&go, 0, 0);
	turns();
	refusals();
	heirs();
	requeue(true);
	requeue(false);
	join(spawn(wait_too_long, NULL));
	between_processes();
	return 0;
}
