/* sigwait, sigwaitinfo, sigtimedwait: for a signal to this thread, to the process, one that was pending; while others run. */
#include <signal.h>

#include "twin.h"

static sem_t here;
static sigset_t set;
static volatile sig_atomic_t caught;

static void handler(int sig)
{
	caught++;
}

static void *wait_three(void *arg)
{
	int sig;
	siginfo_t info;
	struct timespec minute = {.tv_sec = 60}, little = {.tv_nsec = 2000000};
	sem_post(&here);
	show_error(sigwait(&set, &sig));
	printf("sigwait: %d\n", sig);
	sem_post(&here);
	memset(&info, 0, sizeof info);
	show(sigwaitinfo(&set, &info));
	printf("sigwaitinfo: code %d value %d\n", info.si_code, info.si_value.sival_int);
	sem_post(&here);
	memset(&info, 0, sizeof info);
	show(sigtimedwait(&set, &info, &minute));
	printf("sigtimedwait: code %d from us: %d\n", info.si_code, info.si_pid == getpid());
	show(sigtimedwait(&set, NULL, &little));
	show(sigtimedwait(&set, NULL, &(struct timespec){0}));
	show(sigtimedwait(&set, NULL, &(struct timespec){.tv_nsec = -1}));
	sem_post(&here);
	show(sigtimedwait(&set, NULL, &minute));
	printf("after a handler: caught %d\n", caught > 0);
	return arg;
}

/* Each wait that ends in vain leaves nothing behind. */
static void *often(void *arg)
{
	struct timespec little = {.tv_nsec = 1000};
	for (int i = 0; i < 200; i++)
		check(sigtimedwait(&set, NULL, &little) == -1 && errno == EAGAIN);
	puts("two hundred waits");
	return arg;
}

static void *tick(void *arg)
{
	for (int i = 0; i < 5; i++)
		usleep(1000);
	return arg;
}

int main(void)
{
	struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
	int sig;
	sem_init(&here, 0, 0);
	check(sigaction(SIGUSR2, &action, NULL) == 0);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGRTMIN + 1);
	check(pthread_sigmask(SIG_BLOCK, &set, NULL) == 0);
	pthread_t t = spawn(wait_three, NULL);
	wait_for(&here);
	report_threads();
	join(spawn(tick, NULL));
	check(kill(getpid(), SIGTERM) == 0); /* whose default is death */
	wait_for(&here);
	check(sigqueue(getpid(), SIGRTMIN + 1, (union sigval){.sival_int = 7}) == 0);
	wait_for(&here);
	check(pthread_kill(t, SIGUSR1) == 0);
	wait_for(&here);
	do {
		usleep(5000);
		check(pthread_kill(t, SIGUSR2) == 0);
		usleep(5000);
	} while (pthread_tryjoin_np(t, NULL) != 0);

	join(spawn(often, NULL));

	/* Pending before anybody asks: the lowest first, queued ones in their order. */
	t = spawn(tick, NULL);
	check(kill(getpid(), SIGTERM) == 0 && kill(getpid(), SIGTERM) == 0 && kill(getpid(), SIGUSR1) == 0);
	for (int i = 1; i <= 3; i++)
		check(sigqueue(getpid(), SIGRTMIN + 1, (union sigval){.sival_int = i}) == 0);
	for (int i = 0; i < 5; i++) {
		siginfo_t info;
		sig = sigwaitinfo(&set, &info);
		printf("pending: %d %d\n", sig, sig >= SIGRTMIN ? info.si_value.sival_int : 0);
	}
	show(sigtimedwait(&set, NULL, &(struct timespec){0}));
	for (int i = 1; i <= 3; i++)
		check(pthread_sigqueue(pthread_self(), SIGRTMIN + 1, (union sigval){.sival_int = i}) == 0);
	check(pthread_kill(pthread_self(), SIGTERM) == 0);
	for (int i = 0; i < 4; i++) {
		siginfo_t info;
		sig = sigwaitinfo(&set, &info);
		printf("own: %d %d\n", sig, sig >= SIGRTMIN ? info.si_value.sival_int : 0);
	}
	join(t);
	return 0;
}
