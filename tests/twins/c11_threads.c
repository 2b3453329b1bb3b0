/* C11 threads: life, results, mutexes, conditions, once, specific storage; parked while another gets on. */
#include <threads.h>

#include "twin.h"

static mtx_t lock, recursive, timed;
static cnd_t changed;
static tss_t key;
static once_flag once = ONCE_FLAG_INIT;
static int here, go, ran, destroyed;

static void destroy(void *value)
{
	destroyed++;
}

static void routine(void)
{
	ran++;
	thrd_sleep(&(struct timespec){0, 1000000}, NULL);
}

static int run(void *arg)
{
	call_once(&once, routine);
	tss_set(key, arg);
	mtx_lock(&lock);
	here++;
	cnd_broadcast(&changed);
	while (!go)
		cnd_wait(&changed, &lock);
	mtx_unlock(&lock);
	check(tss_get(key) == arg);
	if ((long)arg % 2)
		thrd_exit((int)(long)arg);
	return (int)(long)arg;
}

/* Main has the lock while the thread begins to wait for it. */
static int lock_late(void *arg)
{
	sem_post(arg);
	mtx_lock(&lock);
	mtx_unlock(&lock);
	return 0;
}

static void hand_over(void)
{
	thrd_t t;
	sem_t begins;
	sem_init(&begins, 0, 0);
	mtx_lock(&lock);
	check(thrd_create(&t, lock_late, &begins) == thrd_success);
	wait_for(&begins);
	for (int turn = 0; turn < 3; turn++)
		thrd_yield();
	mtx_unlock(&lock);
	check(thrd_join(t, NULL) == thrd_success);
}

static int answer(void *arg)
{
	mtx_lock(&lock);
	go = 0;
	cnd_signal(&changed);
	mtx_unlock(&lock);
	return 0;
}

int main(void)
{
	thrd_t t[5];
	int result, sum = 0;
	check(mtx_init(&lock, mtx_plain) == thrd_success);
	check(mtx_init(&recursive, mtx_plain | mtx_recursive) == thrd_success);
	check(mtx_init(&timed, mtx_timed) == thrd_success);
	check(cnd_init(&changed) == thrd_success);
	check(tss_create(&key, destroy) == thrd_success);
	for (long i = 0; i < 5; i++)
		check(thrd_create(&t[i], run, (void *)(i + 1)) == thrd_success);
	mtx_lock(&lock);
	while (here < 5)
		cnd_wait(&changed, &lock);
	report_threads();
	go = 1;
	cnd_broadcast(&changed);
	mtx_unlock(&lock);
	for (int i = 0; i < 5; i++) {
		check(thrd_join(t[i], &result) == thrd_success);
		sum += result;
	}
	printf("sum %d, once %d, destroyed %d\n", sum, ran, destroyed);
	printf("equal %d %d\n", !!thrd_equal(thrd_current(), thrd_current()), !!thrd_equal(t[0], thrd_current()));

	printf("recursive: %d %d\n", mtx_lock(&recursive) == thrd_success, mtx_trylock(&recursive) == thrd_success);
	mtx_unlock(&recursive);
	mtx_unlock(&recursive);
	beside_begin();
	struct timespec soon = after(CLOCK_REALTIME, 0.05);
	mtx_lock(&timed);
	printf("timed: %d, busy: %d\n", mtx_timedlock(&timed, &soon) == thrd_timedout,
	       mtx_trylock(&timed) == thrd_busy);
	soon = after(CLOCK_REALTIME, 0.05);
	printf("condition: %d\n", cnd_timedwait(&changed, &timed, &soon) == thrd_timedout);
	mtx_unlock(&timed);
	beside_end();

	hand_over();
	check(thrd_create(&t[0], answer, NULL) == thrd_success);
	printf("detach: %d\n", thrd_detach(t[0]) == thrd_success);
	mtx_lock(&lock);
	while (go)
		cnd_wait(&changed, &lock);
	mtx_unlock(&lock);
	tss_delete(key);
	printf("deleted: %d\n", tss_set(key, &key) == thrd_error);
	return 0;
}
