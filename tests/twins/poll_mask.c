/* ppoll and pselect under a mask of their own: a signal that the thread blocks otherwise comes in while they wait, one
 * that was pending comes at once, and the mask is the old one afterwards. */
#include <poll.h>
#include <signal.h>
#include <sys/select.h>

#include "twin.h"

static volatile sig_atomic_t caught;
static sem_t here, go;

static void handler(int sig)
{
	caught++;
}

static void *park(void *arg)
{
	sem_post(&here);
	wait_for(&go);
	return arg;
}

static void soon(void)
{
	ualarm(20000, 0);
}

int main(void)
{
	sigset_t blocked, open, now;
	struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
	struct timespec long_time = {.tv_sec = 60}, short_time = {.tv_nsec = 30000000};
	sem_init(&here, 0, 0);
	sem_init(&go, 0, 0);
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGALRM);
	check(pthread_sigmask(SIG_BLOCK, &blocked, &open) == 0);
	check(sigaction(SIGALRM, &action, NULL) == 0);
	pthread_t t = spawn(park, NULL);
	wait_for(&here);
	report_threads();

	int fd[2];
	check(pipe(fd) == 0);
	struct pollfd p = {.fd = fd[0], .events = POLLIN};
	soon();
	show(ppoll(&p, 1, &long_time, &open));
	printf("caught %d\n", (int)caught);
	soon();
	show(pselect(0, NULL, NULL, NULL, &long_time, &open));
	printf("caught %d\n", (int)caught);
	check(pthread_sigmask(SIG_SETMASK, NULL, &now) == 0);
	printf("blocked again: %d\n", sigismember(&now, SIGALRM));

	check(kill(getpid(), SIGALRM) == 0);
	show(ppoll(&p, 1, &short_time, NULL));
	show(ppoll(&p, 1, &short_time, &blocked));
	printf("caught %d\n", (int)caught);
	show(ppoll(&p, 1, NULL, &open));
	printf("caught %d\n", (int)caught);
	check(write(fd[1], "x", 1) == 1);
	show(ppoll(&p, 1, NULL, &open));
	sem_post(&go);
	join(t);
	return 0;
}
