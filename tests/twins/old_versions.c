/* Symbol versions of old binaries whose meaning is another: a condition variable that is a pointer (pthread_cond_*@GLIBC_2.2.5),
 * affinity calls without a size (@GLIBC_2.3.3). */
#include <sched.h>

#include "twin.h"

#ifdef __x86_64__
__asm__(".symver old_init, pthread_cond_init@GLIBC_2.2.5\n\t.symver old_destroy, pthread_cond_destroy@GLIBC_2.2.5\n\t"
	".symver old_wait, pthread_cond_wait@GLIBC_2.2.5\n\t.symver old_timedwait, pthread_cond_timedwait@GLIBC_2.2.5\n\t"
	".symver old_signal, pthread_cond_signal@GLIBC_2.2.5\n\t.symver old_broadcast, pthread_cond_broadcast@GLIBC_2.2.5\n\t"
	".symver old_getaffinity, pthread_getaffinity_np@GLIBC_2.3.3\n\t"
	".symver old_setaffinity, pthread_setaffinity_np@GLIBC_2.3.3\n\t"
	".symver old_sched_getaffinity, sched_getaffinity@GLIBC_2.3.3\n\t"
	".symver old_sched_setaffinity, sched_setaffinity@GLIBC_2.3.3");

/* Only the first word of it is libc's; the rest shows whether anybody else has written there. */
struct old_cond {
	void *pointer;
	unsigned long rest[5];
};

int old_init(struct old_cond *c, const pthread_condattr_t *attr);
int old_destroy(struct old_cond *c);
int old_wait(struct old_cond *c, pthread_mutex_t *m);
int old_timedwait(struct old_cond *c, pthread_mutex_t *m, const struct timespec *until);
int old_signal(struct old_cond *c);
int old_broadcast(struct old_cond *c);
int old_getaffinity(pthread_t id, cpu_set_t *cpus);
int old_setaffinity(pthread_t id, const cpu_set_t *cpus);
int old_sched_getaffinity(pid_t pid, cpu_set_t *cpus);
int old_sched_setaffinity(pid_t pid, const cpu_set_t *cpus);

enum { THREADS = 5 };
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct old_cond cond;
static int allowed, passed;
static sem_t here;

static void *run(void *arg)
{
	check(pthread_mutex_lock(&lock) == 0);
	sem_post(&here);
	while (allowed == 0)
		check(old_wait(&cond, &lock) == 0);
	allowed--;
	passed++;
	check(pthread_mutex_unlock(&lock) == 0);
	return arg;
}

int main(void)
{
	pthread_t t[THREADS];
	cpu_set_t cpus, same;
	sem_init(&here, 0, 0);
	memset(&cond, 0x5a, sizeof cond);
	show_error(old_init(&cond, NULL));
	show_error(old_signal(&cond));
	for (int i = 0; i < THREADS; i++)
		t[i] = spawn(run, NULL);
	for (int i = 0; i < THREADS; i++)
		wait_for(&here);
	report_threads();
	check(pthread_mutex_lock(&lock) == 0);
	struct timespec soon = after(CLOCK_REALTIME, 0.01);
	show_error(old_timedwait(&cond, &lock, &soon));
	allowed = 1;
	show_error(old_signal(&cond));
	check(pthread_mutex_unlock(&lock) == 0);
	check(pthread_mutex_lock(&lock) == 0);
	allowed += THREADS - 1;
	show_error(old_broadcast(&cond));
	check(pthread_mutex_unlock(&lock) == 0);
	show_error(old_getaffinity(t[0], &cpus));
	check(sched_getaffinity(0, sizeof same, &same) == 0);
	printf("the same: %d\n", CPU_EQUAL(&cpus, &same));
	show_error(old_setaffinity(pthread_self(), &cpus));
	show(old_sched_getaffinity(0, &cpus) >= 0);
	show(old_sched_setaffinity(0, &cpus));
	for (int i = 0; i < THREADS; i++)
		join(t[i]);
	printf("%d passed\n", passed);
	show_error(old_destroy(&cond));
	for (int i = 0; i < 5; i++)
		check(cond.rest[i] == 0x5a5a5a5a5a5a5a5aUL);
	return 0;
}
#else
int main(void)
{
	report_threads();
	return 0;
}
#endif
