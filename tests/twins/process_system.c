/* system: a command that another thread has to feed, several at once, the signals that it ignores meanwhile, its answers, and a cancellation. */
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "twin.h"

static sem_t here;

static void *run(void *arg)
{
	sem_post(&here);
	int status = system(arg);
	check(WIFEXITED(status));
	return (void *)(long)WEXITSTATUS(status);
}

/* The command waits for a line that this thread writes. */
static void fed(void)
{
	check(mkfifo("line", 0600) == 0);
	pthread_t t = spawn(run, (void *)"read x <line; exit $x");
	wait_for(&here);
	report_threads();
	int fd = open("line", O_WRONLY);
	check(fd >= 0);
	write_all(fd, "5\n", 2);
	close(fd);
	printf("the command ended with %ld\n", (long)join(t));
	unlink("line");
}

static void several(void)
{
	static char command[6][40];
	pthread_t t[6];
	for (int i = 0; i < 6; i++) {
		snprintf(command[i], sizeof command[i], "sleep 0.0%d; exit %d", 6 - i, i);
		t[i] = spawn(run, command[i]);
		wait_for(&here);
	}
	for (int i = 0; i < 6; i++)
		printf("command %d: %ld\n", i, (long)join(t[i]));
}

static bool ignored(int sig)
{
	struct sigaction a;
	sigaction(sig, NULL, &a);
	return a.sa_handler == SIG_IGN;
}

/* Ctrl-C is for the command alone; afterwards all is as before. */
static void keys(void)
{
	check(mkfifo("line", 0600) == 0);
	pthread_t t = spawn(run, (void *)"read x <line; trap 'exit 9' INT; kill -INT $$; exit 8");
	wait_for(&here);
	int fd = open("line", O_WRONLY);
	check(ignored(SIGINT) && ignored(SIGQUIT));
	raise(SIGINT);
	write_all(fd, "\n", 1);
	close(fd);
	printf("the command was interrupted: %ld\n", (long)join(t));
	check(!ignored(SIGINT) && !ignored(SIGQUIT));
	unlink("line");
}

/* A status that wait would find must not be taken by anybody else: another child of ours is left alone. */
static void leaves_others(void)
{
	pid_t other = fork();
	if (other == 0)
		_exit(33);
	int status, mine = system("exit 3");
	check(waitpid(other, &status, 0) == other);
	printf("%d and %d\n", WEXITSTATUS(mine), WEXITSTATUS(status));
}

static void *long_command(void *arg)
{
	sem_post(&here);
	system("read x <line; exit 1");
	return NULL;
}

static void cancelled(void)
{
	check(mkfifo("line", 0600) == 0);
	pthread_t t = spawn(long_command, NULL);
	wait_for(&here);
	int fd = open("line", O_WRONLY);
	pthread_cancel(t);
	check(join(t) == PTHREAD_CANCELED);
	close(fd);
	unlink("line");
	show(waitpid(-1, NULL, 0));
	check(!ignored(SIGINT) && !ignored(SIGQUIT));
}

int main(void)
{
	sem_t go;
	sem_init(&here, 0, 0);
	sem_init(&go, 0, 0);
	pthread_t parked = spawn(parked_until, &go);
	printf("a shell: %d\n", system(NULL) != 0);
	fed();
	several();
	keys();
	leaves_others();
	printf("no such command: %d\n", WEXITSTATUS(system("./nothing 2>/dev/null")));
	printf("killed: %d\n", WTERMSIG(system("kill -TERM $$")));
	cancelled();
	sem_post(&go);
	join(parked);
	return 0;
}
