/* siglongjmp out of handlers: out of one that interrupted a computation, a parked call, a call of libc's; the mask comes back, and threads
 * go on as before. */
#include <setjmp.h>
#include <signal.h>

#include "twin.h"

static sem_t here, go, end;
static sigjmp_buf back;
static jmp_buf plainly;
static volatile sig_atomic_t jumps_plainly;
static volatile sig_atomic_t jumps;
static int fd[2];

static void handler(int sig)
{
	jumps++;
	if (jumps_plainly)
		longjmp(plainly, sig);
	siglongjmp(back, sig);
}

static int blocked(int sig)
{
	sigset_t now;
	check(pthread_sigmask(SIG_BLOCK, NULL, &now) == 0);
	return sigismember(&now, sig);
}

static void *park(void *arg)
{
	sem_post(&here);
	wait_for(arg);
	return arg;
}

static void parks_still(const char *what)
{
	/* Another thread must run for this one to go on. */
	pthread_t t = spawn(park, &go);
	wait_for(&here);
	sem_post(&go);
	join(t);
	printf("%s: goes on, blocked %d\n", what, blocked(SIGALRM));
}

int main(void)
{
	volatile unsigned long n = 0;
	struct sigaction action = {.sa_handler = handler};
	char text[4096], c;
	memset(text, 'x', sizeof text);
	text[sizeof text - 1] = '\0';
	sem_init(&here, 0, 0);
	sem_init(&go, 0, 0);
	sem_init(&end, 0, 0);
	check(pipe(fd) == 0);
	check(sigaction(SIGALRM, &action, NULL) == 0);
	pthread_t t = spawn(park, &end);
	wait_for(&here);
	report_threads();

	if (sigsetjmp(back, 1) == 0) {
		ualarm(5000, 0);
		for (;;)
			n++;
	}
	parks_still("out of a computation");
	if (sigsetjmp(back, 1) == 0) {
		ualarm(5000, 0);
		for (;;)
			n += strlen(text);
	}
	parks_still("out of libc");
	if (sigsetjmp(back, 1) == 0) {
		ualarm(5000, 0);
		check(read(fd[0], &c, 1) == 1);
	}
	parks_still("out of a read");
	if (sigsetjmp(back, 1) == 0)
		raise(SIGALRM);
	parks_still("out of raise");
	if (sigsetjmp(back, 1) == 0)
		kill(getpid(), SIGALRM);
	parks_still("out of kill");
	jumps_plainly = 1;
	if (setjmp(plainly) == 0)
		raise(SIGALRM);
	jumps_plainly = 0;
	parks_still("without its mask");
	sigset_t none;
	sigemptyset(&none);
	check(pthread_sigmask(SIG_SETMASK, &none, NULL) == 0);
	for (volatile int i = 0; i < 100; i++)
		if (sigsetjmp(back, 1) == 0)
			raise(SIGALRM);
	printf("jumps %d\n", (int)jumps);
	sem_post(&end);
	join(t);
	return 0;
}
