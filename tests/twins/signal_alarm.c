/* A handler without SA_RESTART interrupts the call in which its thread is parked: EINTR. */
#include <signal.h>
#include <sys/time.h>

#include "twin.h"

static int gate[2];

static void *park(void *arg)
{
	char byte;
	check(read(gate[0], &byte, 1) == 1);
	return arg;
}

static void on_alarm(int number)
{
	(void)number;
}

/* Again and again, because one alarm may come before the call that it is to interrupt. */
static void alarm_often(bool on)
{
	struct itimerval often = {{0, 20000}, {0, 20000}}, never = {{0, 0}, {0, 0}};
	check(setitimer(ITIMER_REAL, on ? &often : &never, NULL) == 0);
}

int main(void)
{
	int fd[2];
	char byte;
	struct sigaction action = {.sa_handler = on_alarm};
	struct timespec wanted = {100, 0}, rest = {0, 0};
	sigset_t alarm_only;
	check(pipe(gate) == 0 && pipe(fd) == 0);
	check(sigaction(SIGALRM, &action, NULL) == 0);
	/* The other thread does not take it: main is who is interrupted. */
	sigemptyset(&alarm_only);
	sigaddset(&alarm_only, SIGALRM);
	check(pthread_sigmask(SIG_BLOCK, &alarm_only, NULL) == 0);
	pthread_t t = spawn(park, NULL);
	check(pthread_sigmask(SIG_UNBLOCK, &alarm_only, NULL) == 0);
	report_threads();
	alarm_often(true);
	show(read(fd[0], &byte, 1));
	show(nanosleep(&wanted, &rest));
	alarm_often(false);
	printf("the rest: %d\n", rest.tv_sec > 50 && rest.tv_sec < 100);
	check(write(gate[1], "x", 1) == 1);
	join(t);
	return 0;
}
