/* A program without a handler, whose threads have computed and ended: none of its system calls fails with EINTR or gives less than it was asked for,
 * whichever way it is made. Nor does a call in a handler that has interrupted libc, while another thread lives. */
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>

#include "twin.h"

enum { ROUNDS = 12, MS = 2, BIG = 1 << 18, PIECE = 1 << 12 };
static const struct timespec brief = {.tv_nsec = MS * 1000000};
static int epoll, semaphores, silent[2];

static void *compute(void *arg)
{
	double until = now() + 0.0004;
	while (now() < until)
		for (volatile int i = 0; i < 10000; i++)
			;
	return arg;
}

static int by_nanosleep(void)
{
	return nanosleep(&brief, NULL);
}

static int by_raw_call(void)
{
	struct timespec time = brief; /* it is written to */
	return (int)syscall(SYS_ppoll, NULL, 0, &time, NULL, 0);
}

static int by_poll(void)
{
	return poll(NULL, 0, MS);
}

static int by_select(void)
{
	struct timeval time = {.tv_usec = MS * 1000};
	return select(0, NULL, NULL, NULL, &time);
}

static int by_epoll(void)
{
	struct epoll_event event;
	return epoll_wait(epoll, &event, 1, MS);
}

static int by_semaphore(void)
{
	struct sembuf down = {.sem_op = -1};
	return semtimedop(semaphores, &down, 1, &brief);
}

static int by_signal(void)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	return sigtimedwait(&set, NULL, &brief);
}

static int by_socket(void)
{
	char byte;
	return (int)recv(silent[0], &byte, 1, 0);
}

static void run(const char *name, int (*call)(void))
{
	int interrupted = 0;
	for (int i = 0; i < ROUNDS; i++) {
		join(spawn(compute, NULL));
		errno = 0;
		interrupted += call() == -1 && errno == EINTR;
	}
	printf("%s: interrupted %d of %d\n", name, interrupted, ROUNDS);
}

static void drain_slowly(int fd)
{
	static char piece[PIECE];
	while (read(fd, piece, sizeof piece) > 0)
		nanosleep(&(struct timespec){.tv_nsec = 100000}, NULL);
	_exit(0);
}

static void big_writes(void)
{
	static char data[BIG];
	int fd[2], whole = 0, status;
	check(pipe(fd) == 0);
	pid_t child = fork();
	check(child >= 0);
	if (child == 0) {
		close(fd[1]);
		drain_slowly(fd[0]);
	}
	close(fd[0]);
	for (int i = 0; i < 4; i++) {
		join(spawn(compute, NULL));
		whole += write(fd[1], data, sizeof data) == sizeof data;
	}
	close(fd[1]);
	check(waitpid(child, &status, 0) == child && status == 0);
	printf("whole writes: %d\n", whole);
}

static volatile sig_atomic_t handled, cut_off;

static void sleep_in_handler(int sig)
{
	cut_off += nanosleep(&brief, NULL) == -1;
	handled++;
}

/* Nearly always in libc. */
static void *clear_memory(void *arg)
{
	static char memory[1 << 20];
	while (handled < ROUNDS) {
		memset(memory, handled, sizeof memory);
		__asm__ volatile("" ::"r"(memory) : "memory");
	}
	return arg;
}

static void in_handlers(sem_t *end, pthread_t other)
{
	struct sigaction action = {.sa_handler = sleep_in_handler, .sa_flags = SA_RESTART};
	struct itimerval often = {{0, MS * 2000}, {0, MS * 2000}}, never = {{0, 0}, {0, 0}};
	sigfillset(&action.sa_mask);
	check(sigaction(SIGALRM, &action, NULL) == 0 && setitimer(ITIMER_REAL, &often, NULL) == 0);
	clear_memory(NULL);
	check(setitimer(ITIMER_REAL, &never, NULL) == 0);
	sem_post(end);
	join(other);
	printf("in a handler: interrupted %d\n", (int)cut_off);
}

static void *stay(void *arg)
{
	wait_for(arg);
	return NULL;
}

int main(void)
{
	sem_t end;
	struct timeval time = {.tv_usec = MS * 1000};
	sem_init(&end, 0, 0);
	pthread_t t = spawn(stay, &end);
	report_threads();
	sem_post(&end);
	join(t);

	epoll = epoll_create1(0);
	semaphores = semget(IPC_PRIVATE, 1, 0600);
	check(epoll >= 0 && semaphores >= 0 && socketpair(AF_UNIX, SOCK_STREAM, 0, silent) == 0);
	check(setsockopt(silent[0], SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time) == 0);
	run("nanosleep", by_nanosleep);
	run("syscall", by_raw_call);
	run("poll", by_poll);
	run("select", by_select);
	run("epoll_wait", by_epoll);
	run("semtimedop", by_semaphore);
	run("sigtimedwait", by_signal);
	run("recv", by_socket);
	check(semctl(semaphores, 0, IPC_RMID) == 0);
	big_writes();
	in_handlers(&end, spawn(stay, &end));
	return 0;
}
