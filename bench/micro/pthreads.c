/* micro_pthreads: what the POSIX thread calls cost. Plain POSIX: run natively and preloaded, the same binary.
 *
 * Usage: micro_pthreads [SCALE]. Prints one JSON object a line: {"what": "...", "ns": 12.3}, nanoseconds per operation.
 * Every case also checks its own result: a lost wake-up hangs, a wrong count ends with status 1.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static double scale = 1;

static double now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static void must(int error, const char *what)
{
	if (error) {
		fprintf(stderr, "micro_pthreads: %s: error %d\n", what, error);
		exit(1);
	}
}

static pthread_t spawn(void *(*fn)(void *), void *arg)
{
	pthread_t thread;

	must(pthread_create(&thread, NULL, fn, arg), "pthread_create");
	return thread;
}

static void join(pthread_t thread)
{
	must(pthread_join(thread, NULL), "pthread_join");
}

static void *return_arg(void *arg)
{
	return arg;
}

static void create_join(long n)
{
	for (long i = 0; i < n; i++)
		join(spawn(return_arg, NULL));
}

static void create_join_100(long n)
{
	pthread_t threads[100];

	for (long i = 0; i < n; i += 100) {
		for (int k = 0; k < 100; k++)
			threads[k] = spawn(return_arg, NULL);
		for (int k = 0; k < 100; k++)
			join(threads[k]);
	}
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static long counter;

static void mutex_free(long n)
{
	for (long i = 0; i < n; i++) {
		pthread_mutex_lock(&lock);
		pthread_mutex_unlock(&lock);
	}
}

static void *count_up(void *arg)
{
	for (long i = 0; i < (long)arg; i++) {
		pthread_mutex_lock(&lock);
		counter++;
		pthread_mutex_unlock(&lock);
	}
	return NULL;
}

static void mutex_shared(long n)
{
	pthread_t threads[4];

	counter = 0;
	for (int i = 0; i < 4; i++)
		threads[i] = spawn(count_up, (void *)(n / 4));
	for (int i = 0; i < 4; i++)
		join(threads[i]);
	must(counter != n / 4 * 4, "a counter under a mutex");
}

static pthread_cond_t turned = PTHREAD_COND_INITIALIZER;
static int turn;

static void take_turns(int me, long n)
{
	pthread_mutex_lock(&lock);
	for (long i = 0; i < n; i++) {
		while (turn != me)
			pthread_cond_wait(&turned, &lock);
		turn = !me;
		pthread_cond_signal(&turned);
	}
	pthread_mutex_unlock(&lock);
}

static void *second_player(void *arg)
{
	take_turns(1, (long)arg);
	return NULL;
}

/* Two hand-offs a round; n counts hand-offs. */
static void cond_hand_off(long n)
{
	pthread_t other;

	turn = 0;
	other = spawn(second_player, (void *)(n / 2));
	take_turns(0, n / 2);
	join(other);
}

static sem_t ping, pong;

static void wait_for(sem_t *semaphore)
{
	while (sem_wait(semaphore) < 0)
		must(errno != EINTR, "sem_wait");
}

static void *answer_pings(void *arg)
{
	for (long i = 0; i < (long)arg; i++) {
		wait_for(&ping);
		sem_post(&pong);
	}
	return NULL;
}

static void semaphore_hand_off(long n)
{
	pthread_t other;

	sem_init(&ping, 0, 0);
	sem_init(&pong, 0, 0);
	other = spawn(answer_pings, (void *)(n / 2));
	for (long i = 0; i < n / 2; i++) {
		sem_post(&ping);
		wait_for(&pong);
	}
	join(other);
	sem_destroy(&ping);
	sem_destroy(&pong);
}

static void *yield_often(void *arg)
{
	for (long i = 0; i < (long)arg; i++)
		sched_yield();
	return NULL;
}

static void yield_between_two(long n)
{
	pthread_t other = spawn(yield_often, (void *)(n / 2));

	yield_often((void *)(n / 2));
	join(other);
}

static void yield_between_1000(long n)
{
	enum { THREADS = 1000 };
	pthread_t threads[THREADS];

	for (int i = 0; i < THREADS; i++)
		threads[i] = spawn(yield_often, (void *)(n / THREADS));
	for (int i = 0; i < THREADS; i++)
		join(threads[i]);
}

static pthread_barrier_t line;

static void *cross_often(void *arg)
{
	for (long i = 0; i < (long)arg; i++)
		pthread_barrier_wait(&line);
	return NULL;
}

static void barrier_of_1000(long n)
{
	enum { THREADS = 1000 };
	pthread_t threads[THREADS];

	must(pthread_barrier_init(&line, NULL, THREADS), "pthread_barrier_init");
	for (int i = 0; i < THREADS; i++)
		threads[i] = spawn(cross_often, (void *)(n / THREADS + 1));
	for (int i = 0; i < THREADS; i++)
		join(threads[i]);
	pthread_barrier_destroy(&line);
}

static pthread_key_t key;

static void key_access(long n)
{
	for (long i = 0; i < n; i++) {
		pthread_setspecific(key, &key);
		must(pthread_getspecific(key) != &key, "pthread_getspecific");
	}
}

static int nowhere = -1;

static void bad_read(long n)
{
	char byte;

	for (long i = 0; i < n; i++)
		must(read(nowhere, &byte, 1) != -1, "read of a bad descriptor");
}

static void measure(const char *what, void (*run)(long), long n)
{
	double begin;

	n = (long)((double)n * scale);
	run(n / 10 + 100); /* warm */
	begin = now_ns();
	run(n);
	printf("{\"what\": \"%s\", \"ns\": %.1f}\n", what, (now_ns() - begin) / (double)n);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	if (argc > 1)
		scale = atof(argv[1]);
	if (!(scale > 0 && scale <= 100))
		return 2;
	must(pthread_key_create(&key, NULL), "pthread_key_create");
	/* before the first thread: what a program pays that never makes one */
	measure("mutex lock+unlock, no thread yet", mutex_free, 5000000);
	measure("read of a bad descriptor, no thread yet", bad_read, 1000000);
	measure("create+join", create_join, 10000);
	measure("create+join, 100 at once", create_join_100, 10000);
	measure("mutex lock+unlock, free", mutex_free, 5000000);
	measure("mutex lock+unlock, 4 threads", mutex_shared, 1000000);
	measure("condition hand-off", cond_hand_off, 100000);
	measure("semaphore hand-off", semaphore_hand_off, 100000);
	measure("sched_yield, 2 threads", yield_between_two, 200000);
	measure("sched_yield, 1000 threads", yield_between_1000, 1000000);
	measure("barrier, 1000 threads", barrier_of_1000, 1000000);
	measure("setspecific+getspecific", key_access, 5000000);
	measure("read of a bad descriptor", bad_read, 1000000);
	return 0;
}
