/* A listening socket that is sent to another program (SCM_RIGHTS), one in which nothing is preloaded, after threads of ours have waited on it: there it
 * blocks, whichever call has sent it, and both take its connections from then on without holding anybody up. And listeners for which the program has
 * signals sent. Argument of the other program: its end of a socket. */
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "carrier.h"

extern char **environ;

enum { OVER = 100 };

static struct sockaddr_in address;
static int listener, over[2];
static sem_t here;

static void ask(char what)
{
	int fd = tcp_dial(&address);
	char c = what;
	check(write(fd, &c, 1) == 1 && read(fd, &c, 1) == 1 && c == what);
	close(fd);
}

static char serve_one(int fd)
{
	char c;
	int conn = accept(fd, NULL, NULL);
	check(conn >= 0);
	check(read(conn, &c, 1) == 1 && write(conn, &c, 1) == 1);
	close(conn);
	return c;
}

/* Takes connections until it is told to end. */
static void *serve(void *arg)
{
	sem_post(&here);
	while (serve_one(listener) != 'e')
		;
	return arg;
}

/* ---- The other program ---- */

static int receive(void)
{
	char byte, control[CMSG_SPACE(sizeof(int))];
	struct iovec v = {&byte, 1};
	struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
	int fd;
	check(recvmsg(OVER, &m, 0) == 1);
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof fd);
	return fd;
}

static int other_program(void)
{
	struct pollfd p;
	listener = p.fd = receive();
	p.events = POLLIN;
	check(poll(&p, 1, 0) == 0); /* nothing comes before what follows */
	char flags = fcntl(listener, F_GETFL) & O_NONBLOCK ? 'n' : 'b';
	check(write(OVER, &flags, 1) == 1);
	while (serve_one(listener) != 'e')
		;
	return 0;
}

/* ---- Ways to send it ---- */

static ssize_t by_sendmsg(struct msghdr *m)
{
	return sendmsg(over[1], m, 0);
}

static ssize_t by_sendmmsg(struct msghdr *m)
{
	struct mmsghdr one = {.msg_hdr = *m};
	return sendmmsg(over[1], &one, 1, 0);
}

static ssize_t by_number(struct msghdr *m)
{
	return syscall(SYS_sendmsg, over[1], m, 0);
}

/* Its end does not block: the call goes straight to the kernel. */
static ssize_t at_once(struct msghdr *m)
{
	int on = 1;
	check(ioctl(over[1], FIONBIO, &on) == 0);
	ssize_t n = sendmsg(over[1], m, 0);
	on = 0;
	check(ioctl(over[1], FIONBIO, &on) == 0);
	return n;
}

static const struct {
	const char *name;
	ssize_t (*send)(struct msghdr *m);
} ways[] = {{"sendmsg", by_sendmsg}, {"sendmmsg", by_sendmmsg}, {"by number", by_number}, {"at once", at_once}};

static pthread_t serving(void)
{
	pthread_t t = spawn(serve, NULL);
	wait_for(&here);
	ask('x'); /* so it has waited, and waits again */
	return t;
}

static void pass(size_t way, char *program)
{
	char *arguments[] = {program, (char *)"receive", NULL}, flags;
	posix_spawn_file_actions_t actions;
	struct carrier c;
	pid_t child;
	int status;
	check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, over) == 0);
	check(posix_spawn_file_actions_init(&actions) == 0);
	check(posix_spawn_file_actions_adddup2(&actions, over[0], OVER) == 0);
	check(posix_spawn(&child, program, &actions, NULL, arguments, environ) == 0);
	posix_spawn_file_actions_destroy(&actions);
	listener = tcp_listener(&address);
	check(fcntl(listener, F_SETFD, FD_CLOEXEC) == 0);
	pthread_t t = serving();
	report_threads();
	check(ways[way].send(carry(&c, "f", 1, listener)) == 1);
	check(read(over[1], &flags, 1) == 1);
	printf("%s: %s there, %s here\n", ways[way].name, flags == 'b' ? "blocks" : "does not block",
	       fcntl(listener, F_GETFL) & O_NONBLOCK ? "does not block" : "blocks");
	for (int i = 0; i < 20; i++)
		ask('x');
	ask('e');
	ask('e');
	join(t);
	check(waitpid(child, &status, 0) == child);
	printf("ended: %d\n", status);
	close(over[0]);
	close(over[1]);
	close(listener);
}

/* ---- Signals ---- */

static volatile int signals, from_fd;

static void handle(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	from_fd = info->si_fd;
	signals++;
}

static void by_fioasync(int fd)
{
	int on = 1;
	check(ioctl(fd, FIOASYNC, &on) == 0);
}

static void by_setfl(int fd)
{
	check(fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_ASYNC) == 0);
}

static void by_setsig(int fd)
{
	check(fcntl(fd, F_SETSIG, SIGUSR1) == 0);
	by_fioasync(fd);
}

static const struct {
	const char *name;
	void (*begin)(int fd);
	int sig;
} tellers[] = {{"FIOASYNC", by_fioasync, SIGIO}, {"O_ASYNC", by_setfl, SIGIO}, {"F_SETSIG", by_setsig, SIGUSR1}};

static void tell(size_t way)
{
	struct sigaction action = {.sa_sigaction = handle, .sa_flags = SA_SIGINFO | SA_RESTART};
	int off = 0;
	check(sigaction(tellers[way].sig, &action, NULL) == 0);
	listener = tcp_listener(&address);
	check(fcntl(listener, F_SETFD, FD_CLOEXEC) == 0);
	pthread_t t = serving();
	check(fcntl(listener, F_SETOWN, getpid()) == 0);
	check(fcntl(listener, F_GETOWN) == getpid());
	tellers[way].begin(listener);
	signals = from_fd = 0;
	ask('x');
	while (signals == 0)
		sched_yield();
	printf("%s: a signal came, with the number %d, flags %#x, signal %d\n", tellers[way].name,
	       tellers[way].sig == SIGIO || from_fd == listener, (unsigned)fcntl(listener, F_GETFL),
	       fcntl(listener, F_GETSIG));
	ask('x');
	check(ioctl(listener, FIOASYNC, &off) == 0 && fcntl(listener, F_SETSIG, 0) == 0);
	ask('x');
	signals = 0;
	ask('x');
	printf("and then no more: %d, flags %#x\n", signals, (unsigned)fcntl(listener, F_GETFL));
	ask('e');
	join(t);
	close(listener);
}

int main(int argc, char **argv)
{
	if (argc == 2)
		return other_program();
	char self[400];
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
	check(n > 0);
	self[n] = '\0';
	sem_init(&here, 0, 0);
	unsetenv("LD_PRELOAD");
	for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
		pass(i, self);
	for (size_t i = 0; i < sizeof tellers / sizeof *tellers; i++)
		tell(i);
	return 0;
}
