/* A green thread that runs over the end of its stack ends the process as natively, by SIGSEGV; also after the program has asked for the
 * default again. What sigaction says of it meanwhile is what the program has said. */
#include <signal.h>

#include "twin.h"

static int deep(int n)
{
	volatile char room[4096];
	room[0] = (char)n;
	return n == 0 ? room[0] : deep(n - 1) + room[0];
}

static void handler(int sig)
{
}

static void show_action(void)
{
	struct sigaction a;
	check(sigaction(SIGSEGV, NULL, &a) == 0);
	printf("default %d flags %x\n", a.sa_handler == SIG_DFL, (unsigned)a.sa_flags);
}

static void *overflow(void *arg)
{
	struct sigaction a = {.sa_handler = handler}, old;
	show_action();
	check(sigaction(SIGSEGV, &a, &old) == 0);
	printf("was default %d\n", old.sa_handler == SIG_DFL);
	check(raise(SIGSEGV) == 0);
	check(signal(SIGSEGV, SIG_DFL) == handler);
	show_action();
	fflush(stdout);
	until_reported();
	return (void *)(long)deep(1 << 20);
}

int main(void)
{
	pthread_t t = spawn(overflow, NULL);
	report_threads();
	join(t);
	return 0;
}
