/* fcntl with F_SETOWN_EX and F_OWNER_TID: the thread whose number it is, and no other, gets the descriptor's signal: parked, waiting for it, and nobody
 * once it has ended. */
#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>

#include "twin.h"

static sem_t here, go, seen;
static volatile sig_atomic_t others, from;
static __thread volatile sig_atomic_t mine;
static int pair[2];
static pid_t number;

static void on_signal(int sig, siginfo_t *info, void *context)
{
	if (info->si_code != POLL_IN)
		others++;
	from = info->si_fd;
	mine++;
	sem_post(&seen);
}

static void own(int fd, enum __pid_type type, pid_t who)
{
	struct f_owner_ex owner = {.type = type, .pid = who}, said = {0};
	check(fcntl(fd, F_SETSIG, SIGUSR1) == 0);
	check(fcntl(fd, F_SETOWN_EX, &owner) == 0);
	check(fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_ASYNC) == 0);
	check(fcntl(fd, F_GETOWN_EX, &said) == 0);
	printf("owner as set: %d %d, and in short: %d\n", said.type == type, said.pid == who,
	       fcntl(fd, F_GETOWN) == who);
}

static void *be_named(void *arg)
{
	sigset_t one;
	siginfo_t info;
	number = gettid();
	sem_post(&here);

	/* Parked. */
	wait_for(&seen);
	printf("parked: mine %d, of the descriptor %d\n", (int)mine, from == pair[0]);

	/* Blocked: it waits, although main lets it through. */
	sigemptyset(&one);
	sigaddset(&one, SIGUSR1);
	check(pthread_sigmask(SIG_BLOCK, &one, NULL) == 0);
	sem_post(&here);
	int sig = sigwaitinfo(&one, &info);
	printf("blocked: %d, code %d, of the descriptor %d, mine %d\n", sig == SIGUSR1, info.si_code == POLL_IN,
	       info.si_fd == pair[0], (int)mine);
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
	char byte;
	struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO};
	check(sigaction(SIGUSR1, &action, NULL) == 0);
	sem_init(&here, 0, 0);
	sem_init(&go, 0, 0);
	sem_init(&seen, 0, 0);
	check(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);

	pthread_t t = spawn(be_named, NULL);
	wait_for(&here);
	report_threads();
	own(pair[0], F_OWNER_TID, number);
	check(write(pair[1], "a", 1) == 1);
	wait_for(&here);
	check(read(pair[0], &byte, 1) == 1 && write(pair[1], "b", 1) == 1);
	join(t);
	printf("main's: %d\n", (int)mine);

	/* Main, while another runs. */
	t = spawn(only_number, NULL);
	wait_for(&here);
	own(pair[0], F_OWNER_TID, gettid());
	check(read(pair[0], &byte, 1) == 1 && write(pair[1], "c", 1) == 1);
	while (mine == 0)
		sched_yield();
	printf("main's: %d\n", (int)mine);

	/* Who has ended gets none, and nobody in his place. */
	own(pair[0], F_OWNER_TID, number);
	sem_post(&go);
	join(t);
	mine = 0;
	check(read(pair[0], &byte, 1) == 1 && write(pair[1], "d", 1) == 1);
	t = spawn(only_number, NULL);
	sem_post(&go);
	join(t);
	printf("after its end: %d, by others %d\n", (int)mine, (int)others);

	/* The whole process. */
	own(pair[0], F_OWNER_PID, getpid());
	check(read(pair[0], &byte, 1) == 1 && write(pair[1], "e", 1) == 1);
	while (mine == 0)
		sched_yield();
	printf("of the process: %d\n", (int)mine);
	mine = 0;
	t = spawn(only_number, NULL);
	wait_for(&here);
	wait_for(&here); /* of the one before */
	own(pair[0], F_OWNER_TID, number);
	sem_post(&go);
	join(t);
	int process = getpid();
	check(ioctl(pair[0], FIOSETOWN, &process) == 0);
	check(read(pair[0], &byte, 1) == 1 && write(pair[1], "f", 1) == 1);
	while (mine == 0)
		sched_yield();
	printf("of the process, by ioctl: %d\n", (int)mine);
	struct f_owner_ex nobody = {.type = F_OWNER_TID, .pid = 0x3fffffff};
	int r = fcntl(pair[0], F_SETOWN_EX, &nobody);
	printf("nobody: %d %d\n", r, errno == ESRCH);
	r = fcntl(pair[0], F_SETOWN, 0);
	printf("taken back: %d %d\n", r, fcntl(pair[0], F_GETOWN));
	return 0;
}
