/* Threads that wait for whichever child comes first, for one of a group, for one that stops or goes on. */
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "twin.h"

enum { WAITERS = 4 };

static sem_t here;
static int seen[WAITERS];
static volatile int handled;

/* Ends with the byte that it is sent; without an end of the pair, when it is killed. */
static pid_t child(int *told)
{
	int fd[2];
	char byte = 0;
	stream_pair(fd);
	pid_t pid = fork();
	check(pid >= 0);
	if (pid == 0) {
		close(fd[1]);
		_exit(read(fd[0], &byte, 1) == 1 ? byte : 0);
	}
	close(fd[0]);
	*told = fd[1];
	return pid;
}

static void end(int told, char how)
{
	write_all(told, &how, 1);
	close(told);
}

static void note(int status)
{
	check(WIFEXITED(status));
	__atomic_add_fetch(&seen[WEXITSTATUS(status)], 1, __ATOMIC_SEQ_CST);
}

static void *any(void *arg)
{
	int status;
	struct rusage usage;
	memset(&usage, 0xff, sizeof usage);
	sem_post(&here);
	switch ((long)arg % 4) {
	case 0:
		check(wait(&status) > 0);
		break;
	case 1:
		check(waitpid(-1, &status, 0) > 0);
		break;
	case 2:
		check(wait3(&status, 0, &usage) > 0 && usage.ru_utime.tv_sec >= 0);
		break;
	default:
		check(wait4(-1, &status, 0, &usage) > 0 && usage.ru_utime.tv_sec >= 0);
	}
	note(status);
	return NULL;
}

/* As many threads as children: each gets one. */
static void several_waiters(void)
{
	int told[WAITERS];
	pthread_t t[WAITERS];
	for (int i = 0; i < WAITERS; i++)
		child(&told[i]);
	for (long i = 0; i < WAITERS; i++) {
		t[i] = spawn(any, (void *)i);
		wait_for(&here);
	}
	for (int i = 0; i < WAITERS; i++)
		end(told[i], (char)i);
	for (int i = 0; i < WAITERS; i++)
		join(t[i]);
	for (int i = 0; i < WAITERS; i++)
		printf("status %d came %d times\n", i, seen[i]);
	show(wait(NULL));
	show(waitpid(-1, NULL, WNOHANG));
}

static void *count_until_none(void *arg)
{
	int status;
	long n = 0;
	sem_post(&here);
	while (wait(&status) > 0)
		n++;
	check(errno == ECHILD);
	return (void *)n;
}

/* A child that is made while another thread waits for any is one that it waits for. */
static void made_meanwhile(void)
{
	int first, second;
	child(&first);
	pthread_t t = spawn(count_until_none, NULL);
	wait_for(&here);
	child(&second);
	end(second, 1);
	end(first, 1);
	printf("counted %ld\n", (long)join(t));
}

static void *of_group(void *arg)
{
	int status;
	sem_post(&here);
	pid_t got = waitpid(-(pid_t)(long)arg, &status, 0);
	check(got == (pid_t)(long)arg);
	return (void *)(long)WEXITSTATUS(status);
}

static void *of_own_group(void *arg)
{
	int status;
	sem_post(&here);
	check(waitpid(0, &status, 0) == (pid_t)(long)arg);
	return (void *)(long)WEXITSTATUS(status);
}

static void groups(void)
{
	int told[2];
	pid_t apart = child(&told[0]), ours = child(&told[1]);
	check(setpgid(apart, apart) == 0);
	pthread_t a = spawn(of_group, (void *)(long)apart), b = spawn(of_own_group, (void *)(long)ours);
	wait_for(&here);
	wait_for(&here);
	end(told[1], 22);
	printf("of our group: %ld\n", (long)join(b));
	end(told[0], 21);
	printf("of its own: %ld\n", (long)join(a));
}

static void *stops_and_goes_on(void *arg)
{
	int status;
	pid_t pid = (pid_t)(long)arg;
	siginfo_t info;
	sem_post(&here);
	check(waitpid(pid, &status, WUNTRACED) == pid);
	check(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
	sem_post(&here);
	check(waitid(P_PID, (id_t)pid, &info, WCONTINUED) == 0 && info.si_code == CLD_CONTINUED);
	sem_post(&here);
	check(wait4(pid, &status, 0, NULL) == pid && WIFSIGNALED(status));
	return (void *)(long)WTERMSIG(status);
}

static void stops(void)
{
	int told;
	pid_t pid = child(&told);
	pthread_t t = spawn(stops_and_goes_on, (void *)(long)pid);
	wait_for(&here);
	kill(pid, SIGSTOP);
	wait_for(&here);
	kill(pid, SIGCONT);
	wait_for(&here);
	kill(pid, SIGTERM);
	printf("stopped, went on, killed by %ld\n", (long)join(t));
	close(told);
}

static void on_signal(int sig)
{
	handled = 1;
}

static void *interrupted_any(void *arg)
{
	sem_post(&here);
	return wait(NULL) < 0 ? (void *)(long)errno : NULL;
}

static void interrupted(void)
{
	int told;
	void *value;
	struct sigaction a = {.sa_handler = on_signal};
	sigaction(SIGUSR1, &a, NULL);
	child(&told);
	pthread_t t = spawn(interrupted_any, NULL);
	wait_for(&here);
	while (pthread_tryjoin_np(t, &value) == EBUSY) {
		pthread_kill(t, SIGUSR1);
		usleep(1000);
	}
	printf("interrupted: %s\n", strerrorname_np((int)(long)value));
	t = spawn(interrupted_any, NULL);
	wait_for(&here);
	pthread_cancel(t);
	check(join(t) == PTHREAD_CANCELED);
	end(told, 1);
	int status;
	check(wait(&status) > 0 && WEXITSTATUS(status) == 1);
	puts("cancelled, and reaped nothing");
}

static volatile bool stop;

static void *spin(void *arg)
{
	while (!stop)
		;
	return arg;
}

/* The cancellation above may have needed a signal of libc's: threads that compute are still taken off in time. */
static void turns(void)
{
	pthread_t t = spawn(spin, NULL);
	usleep(1000);
	stop = true;
	join(t);
	puts("a thread that spins lets others go on");
}

int main(void)
{
	sem_t go;
	sem_init(&here, 0, 0);
	sem_init(&go, 0, 0);
	pthread_t parked = spawn(parked_until, &go);
	several_waiters();
	made_meanwhile();
	groups();
	stops();
	interrupted();
	turns();
	sem_post(&go);
	join(parked);
	return 0;
}
