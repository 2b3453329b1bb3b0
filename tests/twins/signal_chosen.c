/* A signal to the process goes to main while main lets it through, whoever sends it and lets it through too; else to somebody who does. */
#include <signal.h>

#include "twin.h"

static sem_t never, go, sent;
static volatile sig_atomic_t caught;
static volatile bool interrupted;
static pthread_t ran_on, main_id;

static void handler(int sig)
{
	caught++;
	ran_on = pthread_self();
}

static void block(int how)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	check(pthread_sigmask(how, &set, NULL) == 0);
}

static void *send_two(void *arg)
{
	wait_for(&go);
	/* Until main has gone to wait, which nothing tells: so until it says that it was interrupted. */
	while (!interrupted) {
		usleep(5000);
		check(kill(getpid(), SIGUSR1) == 0);
		usleep(5000);
	}
	sem_post(&sent);
	wait_for(&go);
	block(SIG_BLOCK);
	return arg;
}

int main(void)
{
	struct sigaction action = {.sa_handler = handler};
	sem_init(&never, 0, 0);
	sem_init(&go, 0, 0);
	sem_init(&sent, 0, 0);
	main_id = pthread_self();
	check(sigaction(SIGUSR1, &action, NULL) == 0);
	pthread_t t = spawn(send_two, NULL);
	report_threads();
	sem_post(&go);
	show(sem_wait(&never));
	interrupted = true;
	wait_for(&sent);
	printf("on main: %d\n", pthread_equal(ran_on, main_id));
	/* Blocked in main: the other one has it, although it waits, and the sender blocks it. */
	block(SIG_BLOCK);
	int before = caught;
	check(kill(getpid(), SIGUSR1) == 0);
	while (caught == before)
		usleep(1000);
	printf("on the other: %d\n", pthread_equal(ran_on, t));
	sem_post(&go);
	join(t);
	/* Blocked by all, and let through again. */
	check(kill(getpid(), SIGUSR1) == 0);
	printf("caught %d\n", caught - before);
	block(SIG_UNBLOCK);
	printf("caught %d, on main: %d\n", caught - before, pthread_equal(ran_on, main_id));
	return 0;
}
