/* vfork, _Fork, posix_spawn, system and popen from a thread, while another is parked. */
#include <spawn.h>
#include <sys/wait.h>

#include "twin.h"

extern char **environ;

static int gate[2];

static void *park(void *arg)
{
	char byte;
	check(read(gate[0], &byte, 1) == 1);
	return arg;
}

static int ended(pid_t pid)
{
	int status;
	check(waitpid(pid, &status, 0) == pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static void *start_them(void *arg)
{
	char line[64] = "";
	char *shell[] = {(char *)"sh", (char *)"-c", (char *)"exit 4", NULL};
	pid_t pid = vfork();
	if (pid == 0)
		_exit(1);
	printf("vfork: %d\n", ended(pid));
	pid = vfork();
	if (pid == 0) {
		execv("/bin/sh", shell);
		_exit(127);
	}
	printf("vfork and exec: %d\n", ended(pid));
	pid = _Fork();
	if (pid == 0)
		_exit(2);
	printf("_Fork: %d\n", ended(pid));
	check(posix_spawn(&pid, "/bin/sh", NULL, NULL, shell, environ) == 0);
	printf("posix_spawn: %d\n", ended(pid));
	int status = system("exit 5");
	printf("system: %d\n", WEXITSTATUS(status));
	FILE *f = popen("echo from the shell", "r");
	check(f && fgets(line, sizeof line, f) && pclose(f) == 0);
	printf("popen: %s", line);
	return arg;
}

int main(void)
{
	check(pipe(gate) == 0);
	pthread_t t = spawn(park, NULL);
	report_threads();
	start_them(NULL);
	join(spawn(start_them, NULL));
	check(write(gate[1], "x", 1) == 1);
	join(t);
	return 0;
}
