/* sigaction among threads: what it answers, what handlers get, and where they run. */
#include <signal.h>
#include <sys/types.h>

#include "twin.h"

static sem_t here, go;
static volatile sig_atomic_t caught;
static pthread_t ran_on;
static volatile int info_code, info_value;
static sigset_t mask_inside;

static void *park(void *arg)
{
	sem_post(&here);
	wait_for(&go);
	return arg;
}

static void plain(int sig)
{
	caught++;
	ran_on = pthread_self();
	pthread_sigmask(SIG_BLOCK, NULL, &mask_inside);
}

static void informed(int sig, siginfo_t *info, void *context)
{
	plain(sig);
	info_code = info->si_code;
	info_value = info->si_value.sival_int;
	check(context != NULL);
}

static void show_action(int sig, const char *what)
{
	struct sigaction a;
	check(sigaction(sig, NULL, &a) == 0);
	printf("%s: %s flags %x mask", what,
	       a.sa_handler == SIG_DFL      ? "default"
	       : a.sa_handler == SIG_IGN    ? "ignored"
	       : a.sa_handler == plain      ? "plain"
	       : a.sa_sigaction == informed ? "informed"
					    : "?",
	       (unsigned)a.sa_flags);
	for (int i = 1; i < NSIG; i++)
		if (sigismember(&a.sa_mask, i) == 1)
			printf(" %d", i);
	printf("\n");
}

static void install(int sig, void (*handler)(int), int flags, int blocks)
{
	struct sigaction a = {.sa_handler = handler, .sa_flags = flags}, old;
	if (blocks)
		sigaddset(&a.sa_mask, blocks);
	show(sigaction(sig, &a, &old));
	show_action(sig, "now");
}

static void blocked_inside(const char *what)
{
	printf("%s: caught %d, blocked inside:", what, (int)caught);
	for (int i = 1; i < NSIG; i++)
		if (sigismember(&mask_inside, i) == 1)
			printf(" %d", i);
	printf("\n");
}

int main(void)
{
	/* One is installed before there is a thread. */
	install(SIGUSR1, plain, SA_RESTART, SIGUSR2);
	sem_init(&here, 0, 0);
	sem_init(&go, 0, 0);
	pthread_t t = spawn(park, NULL);
	wait_for(&here);
	report_threads();
	show_action(SIGUSR1, "from before");
	show_action(SIGUSR2, "untouched");
	show_action(SIGCHLD, "untouched");
	install(SIGUSR2, (void (*)(int))(void *)informed, SA_SIGINFO | SA_NODEFER, SIGALRM);
	install(SIGALRM, SIG_IGN, 0, 0);
	install(SIGCHLD, plain, SA_NOCLDSTOP, 0);
	install(SIGCHLD, SIG_DFL, 0, 0);
	show(sigaction(0, NULL, NULL));
	show(sigaction(SIGKILL, &(struct sigaction){.sa_handler = plain}, NULL));
	show(sigaction(32, NULL, NULL));
	show(sigaction(65, NULL, NULL));

	check(raise(SIGUSR1) == 0);
	printf("on main: %d\n", pthread_equal(ran_on, pthread_self()));
	blocked_inside("raise");
	union sigval value = {.sival_int = 42};
	check(sigqueue(getpid(), SIGUSR2, value) == 0);
	printf("code %d value %d on main: %d\n", info_code, info_value, pthread_equal(ran_on, pthread_self()));
	blocked_inside("sigqueue");
	check(kill(getpid(), SIGALRM) == 0);
	printf("ignored: caught %d\n", (int)caught);

	install(SIGUSR1, plain, (int)SA_RESETHAND, 0);
	check(raise(SIGUSR1) == 0);
	show_action(SIGUSR1, "after one");
	install(SIGUSR1, plain, (int)SA_RESETHAND, 0);
	check(pthread_kill(pthread_self(), SIGUSR1) == 0);
	show_action(SIGUSR1, "after another");
	printf("caught %d\n", (int)caught);
	sem_post(&go);
	join(t);
	return 0;
}
