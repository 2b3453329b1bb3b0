/* timer_create with SIGEV_THREAD_ID: the thread whose number it is, and no other, gets the signal: parked, computing, or with the signal blocked; and
 * nobody once it has ended. */
#include <sched.h>
#include <signal.h>

#include "twin.h"

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

enum { VALUE = 77 };
static sem_t here, go, seen;
static volatile sig_atomic_t others, value;
static __thread volatile sig_atomic_t mine;

static void on_signal(int sig, siginfo_t *info, void *context)
{
	if (info->si_code != SI_TIMER)
		others++;
	value = info->si_value.sival_int;
	mine++;
	sem_post(&seen);
}

static timer_t make_timer(pid_t number, int sig)
{
	timer_t timer;
	struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = sig, .sigev_value.sival_int = VALUE};
	event.sigev_notify_thread_id = number;
	check(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0);
	return timer;
}

static void set(timer_t timer, long after_ms, long every_ms)
{
	struct itimerspec when = {.it_value.tv_nsec = after_ms * 1000000, .it_interval.tv_nsec = every_ms * 1000000};
	check(timer_settime(timer, 0, &when, NULL) == 0);
}

static pid_t number;

static void *be_named(void *arg)
{
	sigset_t one, before;
	siginfo_t info;
	number = gettid();
	sem_post(&here);

	/* Parked. It comes again and again, because the first may come before the sleep has begun. */
	struct timespec long_time = {100, 0};
	errno = 0;
	int r = nanosleep(&long_time, NULL);
	bool ended = errno == EINTR;
	sem_post(&here);
	wait_for(&go);
	sched_yield(); /* the last has come */
	printf("asleep: %d %d, mine %d, value %d\n", r, ended, mine > 0, (int)value);
	mine = 1;

	/* Computing, for a timer of its own. */
	timer_t own = make_timer(number, SIGUSR1);
	set(own, 2, 0);
	while (mine < 2)
		;
	puts("computing: it came");
	check(timer_delete(own) == 0);

	/* Blocked: it waits, although main lets it through. */
	sigemptyset(&one);
	sigaddset(&one, SIGUSR1);
	check(pthread_sigmask(SIG_BLOCK, &one, &before) == 0);
	sem_post(&here);
	wait_for(&go);
	int sig = sigwaitinfo(&one, &info);
	printf("blocked: %d, of a timer %d, value %d, mine %d\n", sig == SIGUSR1, info.si_code == SI_TIMER,
	       info.si_value.sival_int, (int)mine);
	return arg;
}

static void *only_number(void *arg)
{
	number = gettid();
	sem_post(&here);
	wait_for(&go);
	return arg;
}

int main(void)
{
	struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO};
	check(sigaction(SIGUSR1, &action, NULL) == 0);
	sem_init(&here, 0, 0);
	sem_init(&go, 0, 0);
	sem_init(&seen, 0, 0);

	pthread_t t = spawn(be_named, NULL);
	wait_for(&here);
	report_threads();
	timer_t timer = make_timer(number, SIGUSR1);
	set(timer, 5, 5);
	wait_for(&here);
	set(timer, 0, 0);
	sem_post(&go);
	wait_for(&here);
	set(timer, 1, 0);
	usleep(5000);
	sem_post(&go);
	join(t);
	printf("main's: %d\n", (int)mine);
	check(timer_delete(timer) == 0);

	/* Main, while another runs. */
	t = spawn(only_number, NULL);
	wait_for(&here);
	while (sem_trywait(&seen) == 0)
		;
	timer = make_timer(getpid(), SIGUSR1);
	set(timer, 1, 1);
	for (int i = 0; i < 3; i++)
		wait_for(&seen);
	set(timer, 0, 0);
	printf("main's: %d\n", mine >= 3);
	check(timer_delete(timer) == 0);

	/* More of them, one after the other, than there can be at a time. */
	for (int i = 0; i < 300; i++)
		check(timer_delete(make_timer(getpid(), SIGUSR1)) == 0);

	/* Who has ended gets none, and nobody in his place. */
	timer = make_timer(number, SIGUSR1);
	sem_post(&go);
	join(t);
	mine = 0;
	set(timer, 1, 0);
	usleep(10000);
	t = spawn(only_number, NULL);
	sem_post(&go);
	join(t);
	printf("after its end: %d, by others %d\n", (int)mine, (int)others);
	timer_delete(timer);
	return 0;
}
