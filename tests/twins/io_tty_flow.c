/* tcflow, and ioctl with its request, while another process is in the midst of a write to the terminal, which it holds until there is room again. */
#include <pty.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>

#include "twin.h"

enum { MUCH = 1 << 20 };

static sem_t begins;
static int master, slave;

static void *flow(void *arg)
{
	sem_post(&begins);
	if (arg)
		show(ioctl(slave, TCXONC, TCION));
	else
		show(tcflow(slave, TCION));
	show(tcflow(slave, TCOON));
	show(tcflow(slave, 77));
	show(tcflow(-1, TCIOFF));
	return NULL;
}

/* proc_pid_stat(5): the state is the third field, after the name in brackets. */
static bool sleeps(pid_t pid)
{
	char path[40], line[200];
	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	int fd = open(path, O_RDONLY);
	check(fd >= 0);
	ssize_t n = read(fd, line, sizeof line - 1);
	check(n > 0);
	line[n] = '\0';
	close(fd);
	const char *state = strrchr(line, ')');
	return state && state[2] == 'S';
}

static void meets_writer(void *way)
{
	static char much[MUCH];
	int status;
	pid_t pid = fork();
	if (pid == 0) {
		memset(much, 'x', MUCH);
		write_all(slave, much, MUCH);
		_exit(0);
	}
	char first;
	read_all(master, &first, 1);
	while (!sleeps(pid))
		usleep(1000);
	pthread_t t = spawn(flow, way);
	wait_for(&begins);
	sched_yield();
	size_t all = 1;
	/* What TCION sends is among it: the START character. */
	while (all < MUCH + 1) {
		ssize_t n = read(master, much, MUCH);
		check(n > 0);
		all += (size_t)n;
	}
	join(t);
	check(waitpid(pid, &status, 0) == pid && status == 0);
}

int main(void)
{
	struct termios raw;
	check(openpty(&master, &slave, NULL, NULL, NULL) == 0 && sem_init(&begins, 0, 0) == 0);
	check(tcgetattr(slave, &raw) == 0);
	cfmakeraw(&raw);
	check(tcsetattr(slave, TCSANOW, &raw) == 0);
	meets_writer(NULL);
	meets_writer(&raw);
	return 0;
}
