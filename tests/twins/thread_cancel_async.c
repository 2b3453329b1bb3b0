/* Asynchronous cancellation: a thread that only computes ends, also where it yields, where it is held off first, and after main's end; one that has
 * not asked for it goes on. */
#include "twin.h"

static sem_t here;
static volatile unsigned long work;
static volatile bool stop;

static void clean(void *arg)
{
	printf("  cleaned up after %s\n", (const char *)arg);
	fflush(stdout);
}

static void *compute(void *name)
{
	pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
	pthread_cleanup_push(clean, name);
	for (;;)
		work++;
	pthread_cleanup_pop(0);
	return NULL;
}

static void *yield(void *name)
{
	pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
	pthread_cleanup_push(clean, name);
	for (;;) {
		work++;
		sched_yield();
	}
	pthread_cleanup_pop(0);
	return NULL;
}

static void *hold_off(void *name)
{
	pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
	pthread_cleanup_push(clean, name);
	while (!stop)
		work++;
	puts("held off");
	pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
	puts("never reached");
	pthread_cleanup_pop(0);
	return NULL;
}

static void *deferred(void *name)
{
	pthread_cleanup_push(clean, name);
	while (!stop)
		work++;
	puts("deferred");
	pthread_testcancel();
	puts("never reached");
	pthread_cleanup_pop(0);
	return NULL;
}

static void *see_how_it_ends(void *other)
{
	sem_post(&here);
	printf("after main: canceled %d\n", join(*(pthread_t *)other) == PTHREAD_CANCELED);
	return NULL;
}

/* Until the thread has computed after this. */
static void let_it_work(void)
{
	for (unsigned long before = work; work == before;)
		usleep(100);
}

static void cancel(const char *name, void *(*entry)(void *))
{
	stop = false;
	pthread_t t = spawn(entry, (void *)name);
	let_it_work();
	if (!fixture.reported)
		report_threads();
	check(pthread_cancel(t) == 0);
	if (entry == hold_off || entry == deferred)
		let_it_work();
	stop = true;
	printf("%s: canceled %d\n", name, join(t) == PTHREAD_CANCELED);
}

int main(void)
{
	static pthread_t t;
	sem_init(&here, 0, 0);
	cancel("computing", compute);
	cancel("yielding", yield);
	cancel("held off", hold_off);
	cancel("deferred", deferred);
	t = spawn(compute, (void *)"main's end");
	spawn(see_how_it_ends, &t);
	wait_for(&here);
	let_it_work();
	check(pthread_cancel(t) == 0);
	pthread_exit(NULL);
}
