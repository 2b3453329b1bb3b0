/* A listening socket that a threaded program shares with its children: with one forked before there were threads, one
 * forked later that knows it by another number, and one that has replaced itself by exec. In each of them accept blocks, the
 * socket does not look non-blocking, signals interrupt or do not, as natively; and what they do to its flags leaves the
 * parent's threads able to wait. With an argument: the program that is executed; the argument is the number of the
 * socket, and 3 and 4 are its ends of the pipes. */
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/time.h>
#include <sys/wait.h>

#include "twin.h"

static struct sockaddr_in address;
static int listener, said[2], told[2];
static sem_t here;

static char hear(int fd)
{
	char c;
	check(read(fd, &c, 1) == 1);
	return c;
}

static void say(int fd, char c)
{
	check(write(fd, &c, 1) == 1);
}

/* Accepts one connection and gives its byte back. */
static void serve_one(int fd)
{
	int conn = accept(fd, NULL, NULL);
	if (conn < 0)
		printf("accept: %s\n", strerrorname_np(errno));
	check(conn >= 0);
	say(conn, hear(conn));
	close(conn);
}

static void *serve_thread(void *arg)
{
	sem_post(&here);
	serve_one(listener);
	return arg;
}

static void ask(void)
{
	int fd = tcp_dial(&address);
	say(fd, 'x');
	check(hear(fd) == 'x');
	close(fd);
}

/* A thread of this process waits in accept, while this one goes on. */
static void serve_here(void)
{
	pthread_t t = spawn(serve_thread, NULL);
	wait_for(&here);
	report_threads();
	ask();
	join(t);
}

static void end(const char *what, pid_t child)
{
	int status;
	check(waitpid(child, &status, 0) == child);
	printf("%s: %d\n", what, status);
}

static void child_serves(int fd)
{
	check(hear(told[0]) == 'g');
	say(said[1], 'a');
	serve_one(fd);
	_exit(0);
}

static volatile sig_atomic_t caught;

/* The parent dials when it has run for the second time: so at least once in accept, unless the machine stood still. */
static void handler(int sig)
{
	if (++caught == 2)
		say(4, 's');
}

/* Again and again, because one alarm may come before the call that it is to interrupt. */
static void alarm_often(int flags)
{
	struct sigaction action = {.sa_handler = handler, .sa_flags = flags};
	struct itimerval often = {{0, 20000}, {0, 20000}};
	check(sigaction(SIGALRM, &action, NULL) == 0);
	check(setitimer(ITIMER_REAL, &often, NULL) == 0);
}

static int executed(int fd)
{
	struct timeval soon = {.tv_usec = 20000}, never = {0};
	int off = 0;
	printf("non-blocking: %d\n", (fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
	printf("signal: %d\n", fcntl(fd, F_GETSIG));
	check(ioctl(fd, FIONBIO, &off) == 0);
	check(fcntl(fd, F_SETFL, fcntl(fd, F_GETFL)) == 0);
	check(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof soon) == 0);
	show(accept(fd, NULL, NULL));
	check(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &never, sizeof never) == 0);
	caught = 2;
	alarm_often(0);
	show(accept(fd, NULL, NULL));
	fflush(stdout);
	caught = 0;
	alarm_often(SA_RESTART);
	serve_one(fd);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc > 1)
		return executed(atoi(argv[1]));
	sem_init(&here, 0, 0);
	check(pipe(told) == 0 && pipe(said) == 0);
	listener = tcp_listener(&address);
	int twin = dup(listener);

	pid_t early = fork();
	if (early == 0)
		child_serves(listener);
	serve_here();
	say(told[1], 'g');
	check(hear(said[0]) == 'a');
	ask();
	end("forked before", early);

	pid_t late = fork();
	if (late == 0)
		child_serves(twin);
	say(told[1], 'g');
	check(hear(said[0]) == 'a');
	ask();
	end("forked after", late);

	fflush(stdout);
	pid_t other = fork();
	if (other == 0) {
		char number[16];
		snprintf(number, sizeof number, "%d", fcntl(twin, F_DUPFD, 10));
		check(dup2(told[0], 3) == 3 && dup2(said[1], 4) == 4);
		execl("/proc/self/exe", argv[0], number, (char *)NULL);
		_exit(1);
	}
	check(hear(said[0]) == 's');
	ask();
	end("executed", other);

	serve_here();
	printf("here: %d %d\n", fcntl(listener, F_GETFL) & O_NONBLOCK, fcntl(twin, F_GETFL) & O_NONBLOCK);
	return 0;
}
