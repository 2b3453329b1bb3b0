/* wordexp with a command that waits for another thread, in a thread; what the command inherits. */
#include <signal.h>
#include <sys/stat.h>
#include <wordexp.h>

#include "twin.h"

static void *expand(void *arg)
{
	wordexp_t w;
	sigset_t one;
	sigemptyset(&one);
	sigaddset(&one, SIGUSR1);
	check(pthread_sigmask(SIG_BLOCK, &one, NULL) == 0);
	check(setenv("WORD", "from the environment", 1) == 0);
	errno = EXFULL;
	int r = wordexp("first $(cat fifo) $(grep SigBlk /proc/self/status) \"$WORD\" $((6 * 7)) fif*", &w, 0);
	printf("%d, errno %s, %zu words\n", r, strerrorname_np(errno), w.we_wordc);
	for (size_t i = 0; i < w.we_wordc; i++)
		puts(w.we_wordv[i]);
	wordfree(&w);
	printf("%d\n", wordexp("$(echo)", &w, WRDE_NOCMD));
	printf("%d\n", wordexp("(", &w, 0));
	return NULL;
}

int main(void)
{
	check(mkfifo("fifo", 0600) == 0);
	pthread_t t = spawn(expand, NULL);
	int fd = open("fifo", O_WRONLY);
	check(fd >= 0);
	write_all(fd, "second", 6);
	check(close(fd) == 0);
	join(t);
	check(unlink("fifo") == 0);
	return 0;
}
