/* Threads that libc makes by itself: a timer's notification thread takes locks, signals, posts, and writes to a pipe that
 * ordinary threads, and main, are parked on. */
#include <signal.h>

#include "twin.h"

enum { TICKS = 20 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static pthread_rwlock_t shared = PTHREAD_RWLOCK_INITIALIZER;
static sem_t posted;
static int ticks, data[2];

static void tick(union sigval value)
{
	pthread_mutex_lock(&lock);
	ticks++;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
	pthread_rwlock_wrlock(&shared);
	pthread_rwlock_unlock(&shared);
	sem_post(&posted);
	check(write(*(int *)value.sival_ptr, "x", 1) == 1);
}

static void *count_posts(void *arg)
{
	for (int i = 0; i < TICKS; i++)
		wait_for(&posted);
	return arg;
}

static void *count_bytes(void *arg)
{
	char byte;
	for (int i = 0; i < TICKS; i++)
		check(read(data[0], &byte, 1) == 1);
	return arg;
}

static void *hold_shared(void *arg)
{
	for (int i = 0; i < TICKS; i++) {
		pthread_rwlock_rdlock(&shared);
		usleep(500);
		pthread_rwlock_unlock(&shared);
	}
	return arg;
}

int main(void)
{
	timer_t timer;
	struct sigevent event = {
		.sigev_notify = SIGEV_THREAD, .sigev_notify_function = tick, .sigev_value.sival_ptr = &data[1]};
	struct itimerspec every = {{0, 2000000}, {0, 2000000}}, never = {{0, 0}, {0, 0}};
	sem_init(&posted, 0, 0);
	check(pipe(data) == 0);
	pthread_t t[3] = {spawn(count_posts, NULL), spawn(count_bytes, NULL), spawn(hold_shared, NULL)};
	check(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0);
	check(timer_settime(timer, 0, &every, NULL) == 0);
	pthread_mutex_lock(&lock);
	while (ticks < TICKS)
		pthread_cond_wait(&changed, &lock);
	pthread_mutex_unlock(&lock);
	for (int i = 0; i < 3; i++)
		join(t[i]);
	check(timer_settime(timer, 0, &never, NULL) == 0);
	puts("every tick was seen");
	return 0;
}
