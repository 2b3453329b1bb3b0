/* bank.c: a program that hangs, for docs/debugging.md and the tests of what looks into it.
 *
 * An accountant moves money from one account to another, an auditor compares them the other way round: each holds the lock that the other
 * wants. A clerk waits for a letter. Prints "hung" when it is sure that the two cannot go on. With the argument "mended" everybody takes the
 * locks in the order of their addresses, the clerk gets his letter, and it ends. */
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

static pthread_mutex_t savings = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t checking = PTHREAD_MUTEX_INITIALIZER;
static int letters[2];
static pthread_barrier_t both;
static bool mended;

static void in_order(pthread_mutex_t **first, pthread_mutex_t **second)
{
	if ((uintptr_t)*first > (uintptr_t)*second) {
		pthread_mutex_t *other = *first;
		*first = *second;
		*second = other;
	}
}

static __attribute__((noinline)) void move_money(pthread_mutex_t *from, pthread_mutex_t *to)
{
	if (mended)
		in_order(&from, &to);
	pthread_mutex_lock(from);
	if (!mended)
		pthread_barrier_wait(&both); /* now each holds one */
	pthread_mutex_lock(to);
	pthread_mutex_unlock(to);
	pthread_mutex_unlock(from);
}

static void *accountant(void *arg)
{
	move_money(&savings, &checking);
	return arg;
}

static void *auditor(void *arg)
{
	move_money(&checking, &savings);
	return arg;
}

static void *clerk(void *arg)
{
	char letter;
	return read(letters[0], &letter, 1) == 1 ? arg : NULL;
}

int main(int argc, char **argv)
{
	pthread_t threads[3];
	(void)argv;
	mended = argc > 1;
	if (pipe(letters) != 0)
		return 1;
	pthread_barrier_init(&both, NULL, 3);
	pthread_create(&threads[0], NULL, accountant, NULL);
	pthread_create(&threads[1], NULL, auditor, NULL);
	pthread_create(&threads[2], NULL, clerk, NULL);
	pthread_setname_np(threads[0], "accountant");
	pthread_setname_np(threads[1], "auditor");
	pthread_setname_np(threads[2], "clerk");
	if (mended && write(letters[1], "x", 1) != 1)
		return 1;
	if (!mended) {
		pthread_barrier_wait(&both);
		/* Both are on their way to the second lock. Each holds the other's, so neither will ever come through. */
		puts("hung");
		fflush(stdout);
	}
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	puts("done");
	return 0;
}
