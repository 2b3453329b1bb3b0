/* pause, sigsuspend, sigpause: they end when a handler has run, and only then; the mask is another meanwhile. */
#include <signal.h>

#include "twin.h"

#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

/* <signal.h> leads to X/Open's, which takes a signal; libc has these two as well. */
int bsd_sigpause(int mask) __asm__("sigpause");
int __sigpause(int signal_or_mask, int is_signal);

static sem_t here;
static volatile sig_atomic_t caught;
static pthread_t target;

static void handler(int sig)
{
	caught++;
}

static void *wait_each(void *arg)
{
	sigset_t open, blocked, now;
	sigfillset(&open);
	sigdelset(&open, SIGUSR1);
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGUSR1);
	sem_post(&here);
	show(pause());
	check(pthread_sigmask(SIG_BLOCK, &blocked, NULL) == 0);
	sem_post(&here);
	show(sigsuspend(&open));
	check(pthread_sigmask(SIG_BLOCK, NULL, &now) == 0);
	printf("blocked again: %d, another: %d\n", sigismember(&now, SIGUSR1), sigismember(&now, SIGUSR2));
	sem_post(&here);
	show(sigpause(SIGUSR1));
	sem_post(&here);
	show(bsd_sigpause(0));
	sem_post(&here);
	show(__sigpause(SIGUSR1, 1));
	check(pthread_sigmask(SIG_BLOCK, NULL, &now) == 0);
	printf("blocked again: %d, another: %d\n", sigismember(&now, SIGUSR1), sigismember(&now, SIGUSR2));
	/* What is pending ends it at once. */
	int before = caught;
	check(pthread_kill(pthread_self(), SIGUSR1) == 0);
	printf("pending: %d\n", caught == before);
	show(sigsuspend(&open));
	printf("pending no more: %d\n", caught == before + 1);
	sem_post(&here);
	return arg;
}

/* Until the call has ended, which says so: a signal that comes just before it would be handled, and it would wait. */
static void send_until_here(void)
{
	do {
		usleep(5000);
		check(pthread_kill(target, SIGUSR1) == 0);
		usleep(5000);
	} while (sem_trywait(&here) < 0);
}

int main(void)
{
	struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
	sem_init(&here, 0, 0);
	check(sigaction(SIGUSR1, &action, NULL) == 0);
	target = spawn(wait_each, NULL);
	wait_for(&here);
	report_threads();
	for (int i = 0; i < 4; i++)
		send_until_here();
	/* Blocked but for the call: one is enough. */
	check(pthread_kill(target, SIGUSR1) == 0);
	wait_for(&here);
	join(target);
	return 0;
}
