/* Masks are each thread's own: inherited, changed, kept over parks, and over what others do meanwhile; and what is pending. */
#include <signal.h>
#include <sys/wait.h>

#include "twin.h"

static sem_t here[2], go[2];
static volatile sig_atomic_t caught;
static pthread_t ran_on;

static void handler(int sig)
{
	caught++;
	ran_on = pthread_self();
}

static void show_mask(const char *who)
{
	sigset_t now;
	check(pthread_sigmask(SIG_BLOCK, NULL, &now) == 0);
	printf("%s blocks:", who);
	for (int i = 1; i < NSIG; i++)
		if (sigismember(&now, i) == 1)
			printf(" %d", i);
	printf("\n");
}

static void show_pending(const char *who)
{
	sigset_t now;
	check(sigpending(&now) == 0);
	printf("%s has pending:", who);
	for (int i = 1; i < NSIG; i++)
		if (sigismember(&now, i) == 1)
			printf(" %d", i);
	printf("\n");
}

static void change(int how, int sig)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, sig);
	check(pthread_sigmask(how, &set, NULL) == 0);
}

static void *first(void *arg)
{
	show_mask("first, born");
	change(SIG_BLOCK, SIGUSR2);
	show_mask("first");
	sem_post(&here[0]);
	wait_for(&go[0]);
	show_mask("first, after a park");
	check(pthread_kill(pthread_self(), SIGUSR2) == 0);
	printf("first: caught %d\n", (int)caught);
	show_pending("first");
	change(SIG_UNBLOCK, SIGUSR2);
	printf("first: caught %d, here: %d\n", (int)caught, pthread_equal(ran_on, pthread_self()));
	show_pending("first");
	return arg;
}

static void *second(void *arg)
{
	sigset_t all;
	sigfillset(&all);
	check(pthread_sigmask(SIG_SETMASK, &all, NULL) == 0);
	sem_post(&here[1]);
	wait_for(&go[1]);
	show_mask("second");
	show_pending("second");
	return arg;
}

int main(void)
{
	sigset_t set, old;
	struct sigaction action = {.sa_handler = handler};
	for (int i = 0; i < 2; i++) {
		sem_init(&here[i], 0, 0);
		sem_init(&go[i], 0, 0);
	}
	check(sigaction(SIGUSR1, &action, NULL) == 0 && sigaction(SIGUSR2, &action, NULL) == 0);
	change(SIG_BLOCK, SIGUSR1);
	pthread_t a = spawn(first, NULL);
	wait_for(&here[0]);
	pthread_t b = spawn(second, NULL);
	wait_for(&here[1]);
	report_threads();
	show_mask("main");
	sigemptyset(&set);
	show_error(pthread_sigmask(77, &set, &old));
	show_error(pthread_sigmask(77, NULL, NULL));
	show(sigprocmask(SIG_SETMASK, &set, &old));
	printf("had blocked SIGUSR1: %d\n", sigismember(&old, SIGUSR1));

	/* For the process: main lets it through and gets it, whoever else does. */
	check(kill(getpid(), SIGUSR2) == 0);
	printf("main: caught %d, here: %d\n", (int)caught, pthread_equal(ran_on, pthread_self()));

	/* Blocked by all, it waits; a child neither has it nor another mask. */
	change(SIG_BLOCK, SIGUSR1);
	check(kill(getpid(), SIGUSR1) == 0);
	show_pending("main");
	fflush(stdout);
	pid_t child = fork();
	if (child == 0) {
		show_mask("child");
		show_pending("child");
		fflush(stdout);
		_exit(0);
	}
	check(waitpid(child, NULL, 0) == child);
	check(pthread_kill(b, SIGUSR2) == 0);
	sem_post(&go[0]);
	join(a);
	sem_post(&go[1]);
	join(b);
	change(SIG_UNBLOCK, SIGUSR1);
	printf("main: caught %d\n", (int)caught);
	return 0;
}
