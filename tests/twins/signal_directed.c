/* pthread_kill, pthread_sigqueue, raise: the thread that is meant handles it, wherever it waits, and nobody else. */
#include <signal.h>

#include "twin.h"

enum { WAITS_IN_READ, WAITS_IN_SEM, WAITS_IN_MUTEX, WAITS_IN_COND, WAITS_IN_JOIN, WAITS_IN_SLEEP, PLACES };
static const char *const names[PLACES] = {"read", "sem_wait", "mutex", "cond", "join", "sleep"};

static int gate[2];
static sem_t here, handled, never, sem;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER, cond_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static int done;
static pthread_t forever, ran_on;
static volatile int value;

static void handler(int sig, siginfo_t *info, void *context)
{
	ran_on = pthread_self();
	value = info->si_code == SI_QUEUE ? info->si_value.sival_int : -1;
	sem_post(&handled); /* async-signal-safe */
}

static void *wait_forever(void *arg)
{
	wait_for(&never);
	return arg;
}

static void *wait_somewhere(void *arg)
{
	char c;
	int place = (int)(long)arg;
	sem_post(&here);
	switch (place) {
	case WAITS_IN_READ:
		check(read(gate[0], &c, 1) == 1);
		break;
	case WAITS_IN_SEM:
		check(sem_wait(&sem) == 0);
		break;
	case WAITS_IN_MUTEX:
		check(pthread_mutex_lock(&mutex) == 0);
		pthread_mutex_unlock(&mutex);
		break;
	case WAITS_IN_COND:
		pthread_mutex_lock(&cond_mutex);
		while (!done)
			check(pthread_cond_wait(&cond, &cond_mutex) == 0);
		pthread_mutex_unlock(&cond_mutex);
		break;
	case WAITS_IN_JOIN:
		join(forever);
		break;
	case WAITS_IN_SLEEP:
		while (!done)
			usleep(1000);
		break;
	}
	return arg;
}

int main(void)
{
	struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_RESTART};
	pthread_t t[PLACES];
	check(pipe(gate) == 0);
	sem_init(&here, 0, 0);
	sem_init(&handled, 0, 0);
	sem_init(&never, 0, 0);
	sem_init(&sem, 0, 0);
	check(sigaction(SIGUSR1, &action, NULL) == 0);
	pthread_mutex_lock(&mutex);
	forever = spawn(wait_forever, NULL);
	for (long i = 0; i < PLACES; i++) {
		t[i] = spawn(wait_somewhere, (void *)i);
		wait_for(&here);
	}
	report_threads();
	for (int i = PLACES; i-- > 0;) {
		check(pthread_kill(t[i], SIGUSR1) == 0);
		wait_for(&handled);
		printf("%s: on its thread: %d\n", names[i], pthread_equal(ran_on, t[i]));
		check(pthread_sigqueue(t[i], SIGUSR1, (union sigval){.sival_int = i}) == 0);
		wait_for(&handled);
		printf("%s: value %d\n", names[i], value);
	}
	check(pthread_kill(pthread_self(), SIGUSR1) == 0);
	printf("main: at once, and here: %d\n", sem_trywait(&handled) == 0 && pthread_equal(ran_on, pthread_self()));
	check(raise(SIGUSR1) == 0);
	printf("raise: at once, and here: %d\n", sem_trywait(&handled) == 0 && pthread_equal(ran_on, pthread_self()));
	done = 1;
	check(write(gate[1], "x", 1) == 1);
	sem_post(&sem);
	sem_post(&never);
	pthread_mutex_unlock(&mutex);
	pthread_mutex_lock(&cond_mutex);
	pthread_cond_signal(&cond);
	pthread_mutex_unlock(&cond_mutex);
	for (int i = 0; i < PLACES; i++)
		join(t[i]);
	return 0;
}
