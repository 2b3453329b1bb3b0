/* Condition variables: ping-pong by signal, broadcast to many, signal wakes one at a time, destroy after broadcast. */
#include "twin.h"

enum { TURNS = 1000, WAITERS = 30 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER, gate;
static int turn, waiting, tickets, passed;

static void *pong(void *arg)
{
	pthread_mutex_lock(&lock);
	for (int i = 0; i < TURNS; i++) {
		while (turn != 1)
			pthread_cond_wait(&changed, &lock);
		turn = 0;
		pthread_cond_signal(&changed);
	}
	pthread_mutex_unlock(&lock);
	return arg;
}

static void *take_ticket(void *arg)
{
	pthread_mutex_lock(&lock);
	waiting++;
	pthread_cond_signal(&changed);
	while (tickets == 0)
		check(pthread_cond_wait(&gate, &lock) == 0);
	tickets--;
	passed++;
	pthread_cond_signal(&changed);
	pthread_mutex_unlock(&lock);
	return arg;
}

/* With the lock: until `*what` has reached n. */
static void until(const int *what, int n)
{
	while (*what < n)
		pthread_cond_wait(&changed, &lock);
}

int main(void)
{
	pthread_t t[WAITERS];

	t[0] = spawn(pong, NULL);
	pthread_mutex_lock(&lock);
	for (int i = 0; i < TURNS; i++) {
		turn = 1;
		pthread_cond_signal(&changed);
		while (turn != 0)
			pthread_cond_wait(&changed, &lock);
	}
	pthread_mutex_unlock(&lock);
	join(t[0]);
	puts("played");

	check(pthread_cond_init(&gate, NULL) == 0);
	for (int i = 0; i < WAITERS; i++)
		t[i] = spawn(take_ticket, NULL);
	pthread_mutex_lock(&lock);
	until(&waiting, WAITERS);
	report_threads();
	for (int i = 1; i <= 10; i++) {
		tickets++;
		pthread_cond_signal(&gate);
		until(&passed, i);
	}
	printf("%d by signal\n", passed);
	tickets = WAITERS;
	pthread_cond_broadcast(&gate);
	/* POSIX: may be destroyed at once after all have been woken; it waits for those that still look at it. */
	pthread_mutex_unlock(&lock);
	show_error(pthread_cond_destroy(&gate));
	memset(&gate, 0xff, sizeof gate);
	for (int i = 0; i < WAITERS; i++)
		join(t[i]);
	printf("%d in all\n", passed);
	show_error(pthread_cond_signal(&changed));
	show_error(pthread_cond_broadcast(&changed));
	return 0;
}
