/* Threads that wait each for one child, by waitpid and waitid: while they wait, others go on; each status comes once, and who comes
 * too late is told ECHILD; a handler interrupts the wait or does not; a cancellation ends it and reaps nothing. */
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "twin.h"

enum { CHILDREN = 5 };

/* A child ends with the byte that it is sent. */
struct child {
	pid_t pid;
	int told;
};

static sem_t here;
static int handled;

static struct child begin(void)
{
	int fd[2];
	char byte;
	stream_pair(fd);
	struct child c = {.pid = fork(), .told = fd[1]};
	check(c.pid >= 0);
	if (c.pid == 0) {
		close(fd[1]);
		_exit(read(fd[0], &byte, 1) == 1 ? byte : 0);
	}
	close(fd[0]);
	return c;
}

static void end(struct child *c, char how)
{
	write_all(c->told, &how, 1);
	close(c->told);
}

static void *by_waitpid(void *arg)
{
	struct child *c = arg;
	int status = 0;
	sem_post(&here);
	pid_t got = waitpid(c->pid, &status, 0);
	if (got < 0)
		return (void *)(long)-errno;
	check(got == c->pid && WIFEXITED(status));
	return (void *)(long)WEXITSTATUS(status);
}

static void *by_waitid(void *arg)
{
	struct child *c = arg;
	siginfo_t info;
	sem_post(&here);
	if (waitid(P_PID, (id_t)c->pid, &info, WEXITED) < 0)
		return (void *)(long)-errno;
	check(info.si_pid == c->pid && info.si_signo == SIGCHLD && info.si_code == CLD_EXITED);
	return (void *)(long)info.si_status;
}

static void *by_pidfd(void *arg)
{
	struct child *c = arg;
	siginfo_t info;
	int fd = (int)syscall(SYS_pidfd_open, c->pid, 0);
	check(fd >= 0);
	sem_post(&here);
	check(waitid(P_PIDFD, (id_t)fd, &info, WEXITED) == 0 && info.si_pid == c->pid);
	close(fd);
	return (void *)(long)info.si_status;
}

static void each_his_own(void)
{
	static void *(*const ways[])(void *) = {by_waitpid, by_waitid, by_pidfd};
	struct child c[CHILDREN];
	pthread_t t[CHILDREN];
	for (int i = 0; i < CHILDREN; i++)
		c[i] = begin();
	for (int i = 0; i < CHILDREN; i++) {
		t[i] = spawn(ways[i % 3], &c[i]);
		wait_for(&here);
	}
	report_threads();
	for (int i = CHILDREN; i-- > 0;) {
		end(&c[i], (char)(i + 1));
		printf("child %d ended with %ld\n", i, (long)join(t[i]));
	}
	show(waitpid(c[0].pid, NULL, 0));
	show(waitpid(c[0].pid, NULL, WNOHANG));
}

/* Two wait for one child: one gets it. */
static void one_too_late(void)
{
	struct child c = begin();
	pthread_t a = spawn(by_waitpid, &c), b = spawn(by_waitid, &c);
	wait_for(&here);
	wait_for(&here);
	end(&c, 7);
	long first = (long)join(a), second = (long)join(b);
	check((first == 7 && second == -ECHILD) || (first == -ECHILD && second == 7));
	puts("one of two got it");
}

static void looking_only(void)
{
	struct child c = begin();
	siginfo_t info;
	int status;
	memset(&info, 0, sizeof info);
	check(waitpid(c.pid, &status, WNOHANG) == 0);
	check(waitid(P_PID, (id_t)c.pid, &info, WEXITED | WNOHANG) == 0 && info.si_pid == 0);
	end(&c, 3);
	check(waitid(P_PID, (id_t)c.pid, &info, WEXITED | WNOWAIT) == 0 && info.si_status == 3);
	check(waitid(P_PID, (id_t)c.pid, NULL, WEXITED | WNOWAIT | WNOHANG) == 0);
	check(waitpid(c.pid, &status, 0) == c.pid && WEXITSTATUS(status) == 3);
	puts("looked at, then taken");
	show(waitpid(c.pid, &status, 12345678));
	show(waitid(P_PID, 1, &info, 0));
	show(waitid((idtype_t)77, 1, &info, WEXITED));
}

static void on_signal(int sig)
{
	handled++;
}

static void handle(int sig, int flags)
{
	struct sigaction a = {.sa_handler = on_signal, .sa_flags = flags};
	sigaction(sig, &a, NULL);
}

/* It has blocked in waitpid before the signal comes, or the signal comes first and is handled then: in both cases the wait is restarted. */
static void restarted(void)
{
	struct child c = begin();
	handle(SIGUSR1, SA_RESTART);
	pthread_t t = spawn(by_waitpid, &c);
	wait_for(&here);
	pthread_kill(t, SIGUSR1);
	while (__atomic_load_n(&handled, __ATOMIC_SEQ_CST) == 0)
		usleep(100);
	end(&c, 9);
	printf("restarted, then %ld\n", (long)join(t));
}

/* Signals until the wait has been interrupted: the first may have come before it began. */
static void interrupted(void)
{
	struct child c = begin();
	handle(SIGUSR1, 0);
	pthread_t t = spawn(by_waitpid, &c);
	wait_for(&here);
	void *value;
	while (pthread_tryjoin_np(t, &value) == EBUSY) {
		pthread_kill(t, SIGUSR1);
		usleep(1000);
	}
	printf("interrupted: %s\n", strerrorname_np((int)-(long)value));
	end(&c, 4);
	printf("and then %ld\n", (long)by_waitpid(&c));
	wait_for(&here);
}

static void cancelled(void)
{
	struct child c = begin();
	pthread_t t = spawn(by_waitpid, &c);
	wait_for(&here);
	pthread_cancel(t);
	check(join(t) == PTHREAD_CANCELED);
	end(&c, 5);
	printf("cancelled, reaped nothing: %ld\n", (long)by_waitpid(&c));
	wait_for(&here);
}

static void block_child_signal(int how)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	pthread_sigmask(how, &set, NULL);
}

/* A handler of the program's own for SIGCHLD is called for each child, whoever waits. */
static void with_handler(void)
{
	handled = 0;
	handle(SIGCHLD, SA_RESTART);
	block_child_signal(SIG_UNBLOCK);
	for (int i = 0; i < 3; i++) {
		struct child c = begin();
		pthread_t t = spawn(by_waitpid, &c);
		wait_for(&here);
		end(&c, (char)i);
		check((long)join(t) == i);
		while (__atomic_load_n(&handled, __ATOMIC_SEQ_CST) <= i)
			usleep(100);
	}
	printf("handled %d\n", handled);
	block_child_signal(SIG_BLOCK);
	signal(SIGCHLD, SIG_DFL);
}

static void *signal_waiter(void *arg)
{
	sigset_t set;
	int sig;
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	check(sigwait(&set, &sig) == 0 && sig == SIGCHLD);
	return arg;
}

/* One thread is told of the end by sigwait, another has the status. Nobody lets the signal through. */
static void with_sigwait(void)
{
	static const struct timespec at_once;
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	while (sigtimedwait(&set, NULL, &at_once) > 0)
		;
	struct child c = begin();
	pthread_t told = spawn(signal_waiter, NULL), t = spawn(by_waitpid, &c);
	wait_for(&here);
	end(&c, 6);
	printf("status %ld, and the signal\n", (long)join(t));
	join(told);
}

static void spawned(void)
{
	char *const command[] = {(char *)"sh", (char *)"-c", (char *)"exit 11", NULL};
	char *const environment[] = {NULL};
	struct child c = {.told = -1};
	check(posix_spawn(&c.pid, "/bin/sh", NULL, NULL, command, environment) == 0);
	printf("spawned: %ld\n", (long)join(spawn(by_waitpid, &c)));
	wait_for(&here);
}

/* Then a child leaves no status, and a wait for it ends when it has gone. */
static void ignored(void)
{
	signal(SIGCHLD, SIG_IGN);
	struct child c = begin();
	pthread_t t = spawn(by_waitpid, &c);
	wait_for(&here);
	end(&c, 8);
	printf("ignored: %s\n", strerrorname_np((int)-(long)join(t)));
	signal(SIGCHLD, SIG_DFL);
}

int main(void)
{
	sem_t go;
	sem_init(&here, 0, 0);
	sem_init(&go, 0, 0);
	block_child_signal(SIG_BLOCK);
	pthread_t parked = spawn(parked_until, &go);
	each_his_own();
	one_too_late();
	looking_only();
	restarted();
	interrupted();
	cancelled();
	with_handler();
	with_sigwait();
	spawned();
	ignored();
	sem_post(&go);
	join(parked);
	return 0;
}
