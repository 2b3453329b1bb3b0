/* daemon, login_tty and forkpty put other files in the place of descriptors 0, 1 and 2: what was known of these is forgotten. */
#include <pty.h>
#include <sys/wait.h>
#include <utmp.h>

#include "twin.h"

static sem_t begins;
static int said[2];

/* What descriptor 0 is from here on, and the threads of this process have read from it: a socket, or what never waits. */
static void *read_byte(void *arg)
{
	char byte;
	check(read(0, &byte, 1) >= 0);
	return NULL;
}

static void use_null(void)
{
	int fd = open("/dev/null", O_RDONLY);
	check(fd >= 0 && dup2(fd, 0) == 0 && close(fd) == 0);
	join(spawn(read_byte, NULL));
}

static void use_socket(void)
{
	int fd[2];
	stream_pair(fd);
	check(dup2(fd[0], 0) == 0 && close(fd[0]) == 0);
	pthread_t t = spawn(read_byte, NULL);
	write_all(fd[1], "x", 1);
	join(t);
	check(close(fd[1]) == 0);
}

/* ---- A terminal in its place ---- */

static void *read_line(void *arg)
{
	char line[100];
	sem_post(&begins);
	ssize_t n = read(0, line, sizeof line);
	check(n > 0);
	write_all(said[1], line, (size_t)n);
	return NULL;
}

/* In a child whose descriptor 0 is a terminal: one thread reads from it, and the other lets it be written to. */
static void read_terminal(void)
{
	sem_init(&begins, 0, 0);
	pthread_t t = spawn(read_line, NULL);
	wait_for(&begins);
	sched_yield();
	write_all(said[1], "reads: ", 7);
	join(t);
	_exit(isatty(0) && isatty(1) && isatty(2) && tcgetpgrp(0) == getpid() ? 0 : 1);
}

static void hear(const char *name, pid_t pid, int master)
{
	char text[100];
	int status;
	read_all(said[0], text, 7);
	write_all(master, "a line\n", 7);
	read_all(said[0], text + 7, 7);
	check(waitpid(pid, &status, 0) == pid);
	printf("%s: %.14s%d\n", name, text, status);
	check(close(master) == 0);
}

static void *by_forkpty(void *arg)
{
	int master;
	pid_t pid = forkpty(&master, NULL, NULL, NULL);
	if (pid == 0)
		read_terminal();
	check(pid > 0);
	hear("forkpty", pid, master);
	return NULL;
}

static void *by_login_tty(void *arg)
{
	int master, slave;
	check(openpty(&master, &slave, NULL, NULL, NULL) == 0);
	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0) {
		close(master);
		check(login_tty(slave) == 0);
		errno = 0;
		check(close(slave) < 0 && errno == EBADF);
		read_terminal();
	}
	close(slave);
	hear("login_tty", pid, master);
	return NULL;
}

/* ---- The null device in its place ---- */

static void be_daemon(int keeps)
{
	char byte, text[200], place[100];
	pid_t session = getsid(0);
	check(daemon(1, keeps) == 0);
	check(getsid(0) == getpid() && getsid(0) != session);
	ssize_t n = keeps ? 0 : read(0, &byte, 1);
	int written = keeps ? 0 : (int)write(1, "lost", 4);
	ssize_t m = readlink("/proc/self/fd/2", place, sizeof place);
	snprintf(text, sizeof text, "daemon(%d): %zd %d %.*s", keeps, n, written, keeps ? 0 : (int)m, place);
	write_all(said[1], text, strlen(text) + 1);
	_exit(0);
}

static void *by_daemon(void *arg)
{
	for (int keeps = 0; keeps < 2; keeps++) {
		int status;
		char byte;
		fflush(stdout);
		pid_t pid = fork();
		if (pid == 0) {
			use_socket();
			be_daemon(keeps);
		}
		check(waitpid(pid, &status, 0) == pid && status == 0);
		do {
			read_all(said[0], &byte, 1);
			putchar(byte ? byte : '\n');
		} while (byte);
	}
	return NULL;
}

int main(void)
{
	check(pipe(said) == 0);
	use_null();
	join(spawn(by_forkpty, NULL));
	join(spawn(by_login_tty, NULL));
	join(spawn(by_daemon, NULL));
	return 0;
}
