/* GEV_NATIVE: a thread that begins with a chosen function is real, beside green ones, and both wait for each other on every
 * kind of object. */
#include "twin.h"

enum { ROUNDS = 200 };
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_barrier_t barrier;
static sem_t ping, pong, here, go;
static int turn, counter;

static void work(int me)
{
	for (int i = 0; i < ROUNDS; i++) {
		check(pthread_mutex_lock(&lock) == 0);
		while (turn != me)
			check(pthread_cond_wait(&cond, &lock) == 0);
		turn = !me;
		check(pthread_cond_signal(&cond) == 0);
		check(pthread_mutex_unlock(&lock) == 0);
		check(pthread_rwlock_wrlock(&rwlock) == 0);
		counter++;
		check(pthread_rwlock_unlock(&rwlock) == 0);
		sem_post(me ? &ping : &pong);
		wait_for(me ? &pong : &ping);
		int r = pthread_barrier_wait(&barrier);
		check(r == 0 || r == PTHREAD_BARRIER_SERIAL_THREAD);
	}
	sem_post(&here);
	wait_for(&go);
}

__attribute__((visibility("default"))) void *begin_green(void *arg);
__attribute__((visibility("default"))) void *begin_native(void *arg);

void *begin_green(void *arg)
{
	work(0);
	return arg;
}

void *begin_native(void *arg)
{
	if (arg == &go)
		wait_for(&go);
	else
		work(1);
	pthread_exit(arg);
}

static void *join_it(void *real)
{
	sem_post(&here);
	return join(*(pthread_t *)real);
}

/* Who is cancelled while he waits for the end of a real thread has not joined it; another can. */
static void join_in_vain(void)
{
	pthread_t real = spawn(begin_native, &go), t = spawn(join_it, &real);
	wait_for(&here);
	usleep(2000); /* it waits by now, or will */
	check(pthread_cancel(t) == 0);
	printf("cancelled: %d\n", join(t) == PTHREAD_CANCELED);
	sem_post(&go);
	printf("joined then: %d\n", join(real) == &go);
}

int main(void)
{
	/* As programs do that show another command line: what was asked for is known by then. */
	char *asked = getenv("GEV_NATIVE");
	if (asked)
		memset(asked, '-', strlen(asked));
	sem_init(&ping, 0, 0);
	sem_init(&pong, 0, 0);
	sem_init(&here, 0, 0);
	sem_init(&go, 0, 0);
	check(pthread_barrier_init(&barrier, NULL, 2) == 0);
	pthread_t a = spawn(begin_green, &lock), b = spawn(begin_native, &cond);
	wait_for(&here);
	wait_for(&here);
	report_threads();
	printf("counted %d\n", counter);
	sem_post(&go);
	sem_post(&go);
	printf("joined: %d %d\n", join(a) == &lock, join(b) == &cond);
	join_in_vain();
	return 0;
}
