/* A signal that comes just before what ends the wait: the handler has run when the wait returns, however it ends. */
#include <linux/futex.h>
#include <signal.h>
#include <sys/syscall.h>

#include "twin.h"

enum { ROUNDS = 20 };

static pthread_t main_thread;
static volatile int handled;
static sem_t token, go, looked;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static bool done;
static uint32_t word;
static int gate[2];

static void handle(int sig)
{
	(void)sig;
	handled++;
}

/* ---- What is waited for, and what ends the wait ---- */

static void wait_sem(void)
{
	while (sem_wait(&token) < 0)
		check(errno == EINTR);
}
static void end_sem(void)
{
	sem_post(&token);
}

static void wait_cond(void)
{
	pthread_mutex_lock(&lock);
	while (!done)
		pthread_cond_wait(&cond, &lock);
	done = false;
	pthread_mutex_unlock(&lock);
}
static void end_cond(void)
{
	pthread_mutex_lock(&lock);
	done = true;
	pthread_cond_signal(&cond);
	pthread_mutex_unlock(&lock);
}

static void begin_mutex(void)
{
	pthread_mutex_lock(&lock);
}
static void wait_mutex(void)
{
	pthread_mutex_lock(&lock);
	pthread_mutex_unlock(&lock);
}
static void end_mutex(void)
{
	pthread_mutex_unlock(&lock);
}

static void begin_rwlock(void)
{
	pthread_rwlock_wrlock(&rwlock);
}
static void wait_rwlock(void)
{
	pthread_rwlock_rdlock(&rwlock);
	pthread_rwlock_unlock(&rwlock);
}
static void end_rwlock(void)
{
	pthread_rwlock_unlock(&rwlock);
}

static void wait_futex(void)
{
	while (__atomic_load_n(&word, __ATOMIC_SEQ_CST) == 0)
		syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
	word = 0;
}
static void end_futex(void)
{
	__atomic_store_n(&word, 1, __ATOMIC_SEQ_CST);
	syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void wait_read(void)
{
	char byte;
	check(read(gate[0], &byte, 1) == 1);
}
static void end_read(void)
{
	write_all(gate[1], "x", 1);
}

static const struct kind {
	const char *name;
	void (*begin)(void);
	void (*wait)(void);
	void (*end)(void);
} kinds[] = {
	{"sem", NULL, wait_sem, end_sem},
	{"cond", NULL, wait_cond, end_cond},
	{"mutex", begin_mutex, wait_mutex, end_mutex},
	{"rwlock", begin_rwlock, wait_rwlock, end_rwlock},
	{"futex", NULL, wait_futex, end_futex},
	{"read", NULL, wait_read, end_read},
};

static void *interrupt_and_end(void *arg)
{
	const struct kind *kind = arg;
	for (int i = 0; i < ROUNDS; i++) {
		if (kind->begin)
			kind->begin();
		sem_post(&go);
		usleep(500); /* main waits by now, or the round shows nothing */
		check((i % 2 ? kill(getpid(), SIGUSR1) : pthread_kill(main_thread, SIGUSR1)) == 0);
		kind->end();
		wait_for(&looked);
	}
	return NULL;
}

int main(void)
{
	struct sigaction action = {.sa_handler = handle, .sa_flags = SA_RESTART};
	check(sigaction(SIGUSR1, &action, NULL) == 0 && pipe(gate) == 0);
	sem_init(&token, 0, 0);
	sem_init(&go, 0, 0);
	sem_init(&looked, 0, 0);
	main_thread = pthread_self();
	for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
		int late = 0;
		handled = 0;
		pthread_t t = spawn(interrupt_and_end, (void *)&kinds[k]);
		for (int i = 0; i < ROUNDS; i++) {
			wait_for(&go);
			kinds[k].wait();
			getppid(); /* natively main may have been on its way to the wait: then the kernel delivers here at the latest */
			late += handled != i + 1;
			if (!fixture.reported)
				report_threads();
			sem_post(&looked);
		}
		join(t);
		printf("%s: %d handled, %d late\n", kinds[k].name, handled, late);
	}
	return 0;
}
