/* Handlers that post a semaphore and write to a pipe, thousands of times, wherever they interrupt: nothing is lost. */
#include <signal.h>
#include <sys/time.h>

#include "twin.h"

enum { ALARMS = 2000 };
static sem_t alarms, over, ping, pong;
static volatile sig_atomic_t handled;
static int fd[2];

static void handler(int sig)
{
	int saved = errno;
	if (handled < ALARMS) {
		handled++;
		check(sem_post(&alarms) == 0);
		check(write(fd[1], "x", 1) == 1);
	}
	errno = saved;
}

static void *take_posts(void *arg)
{
	for (long n = 0; n < ALARMS; n++)
		wait_for(&alarms);
	return arg;
}

static void *take_bytes(void *arg)
{
	char c;
	for (long n = 0; n < ALARMS; n++)
		check(read(fd[0], &c, 1) == 1);
	return arg;
}

static int stop;

static void *answer(void *arg)
{
	for (;;) {
		wait_for(&ping);
		if (__atomic_load_n(&stop, __ATOMIC_SEQ_CST))
			return arg;
		sem_post(&pong);
	}
}

int main(void)
{
	struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
	struct itimerval often = {.it_interval = {.tv_usec = 100}, .it_value = {.tv_usec = 100}}, never = {0};
	sem_init(&alarms, 0, 0);
	sem_init(&over, 0, 0);
	sem_init(&ping, 0, 0);
	sem_init(&pong, 0, 0);
	check(pipe(fd) == 0);
	check(sigaction(SIGALRM, &action, NULL) == 0);
	pthread_t posts = spawn(take_posts, NULL), bytes = spawn(take_bytes, NULL), t = spawn(answer, NULL);
	report_threads();
	check(setitimer(ITIMER_REAL, &often, NULL) == 0);
	unsigned long turns = 0;
	while (handled < ALARMS) {
		sem_post(&ping);
		wait_for(&pong);
		free(malloc(++turns % 1000));
	}
	check(setitimer(ITIMER_REAL, &never, NULL) == 0);
	join(posts);
	join(bytes);
	stop = 1;
	sem_post(&ping);
	join(t);
	printf("handled %d\n", (int)handled);
	return 0;
}
