/* What a new program inherits from the green thread that runs it: its mask, what is ignored; handlers are gone. By exec in a forked child,
 * and by posix_spawn. */
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include "twin.h"

extern char **environ;
static char *self;

static void handler(int sig)
{
}

static int show_all(void)
{
	sigset_t mask;
	check(sigprocmask(SIG_BLOCK, NULL, &mask) == 0);
	for (int sig = 1; sig < NSIG; sig++) {
		struct sigaction a;
		if (sigismember(&mask, sig) == 1)
			printf("blocked %d\n", sig);
		if (sigaction(sig, NULL, &a) == 0 && a.sa_handler != SIG_DFL)
			printf("%s %d\n", a.sa_handler == SIG_IGN ? "ignored" : "handled", sig);
	}
	return 0;
}

static void *run(void *arg)
{
	char *arguments[] = {self, "child", NULL};
	sigset_t set;
	pid_t pid;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	sigaddset(&set, SIGRTMAX);
	check(pthread_sigmask(SIG_SETMASK, &set, NULL) == 0);
	puts("fork and exec");
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		execv(self, arguments);
		_exit(1);
	}
	check(waitpid(pid, NULL, 0) == pid);
	puts("posix_spawn");
	fflush(stdout);
	check(posix_spawn(&pid, self, NULL, NULL, arguments, environ) == 0);
	check(waitpid(pid, NULL, 0) == pid);
	until_reported();
	return arg;
}

int main(int argc, char **argv)
{
	if (argc > 1)
		return show_all();
	struct sigaction handled = {.sa_handler = handler}, ignored = {.sa_handler = SIG_IGN};
	self = argv[0];
	check(sigaction(SIGUSR1, &handled, NULL) == 0 && sigaction(SIGHUP, &ignored, NULL) == 0);
	pthread_t t = spawn(run, NULL);
	report_threads();
	join(t);
	return 0;
}
