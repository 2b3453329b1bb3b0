/* signal, sysv_signal, sigset and the rest of the old names: each installs what it means, and queries see it. */
#include <signal.h>

#include "twin.h"

/* <signal.h> has them under one name each, by the standard that is asked for. */
typedef void (*handler_type)(int);
extern handler_type bsd_signal(int, handler_type), sysv_signal(int, handler_type), ssignal(int, handler_type);
extern int gsignal(int), siggetmask(void);

static sem_t here, go;
static volatile sig_atomic_t caught;

static void *park(void *arg)
{
	sem_post(&here);
	wait_for(&go);
	return arg;
}

static void one(int sig)
{
	caught += 1;
}

static void ten(int sig)
{
	caught += 10;
}

static const char *name(handler_type h)
{
	return h == SIG_DFL  ? "default"
	     : h == SIG_IGN  ? "ignored"
	     : h == SIG_ERR  ? "error"
	     : h == SIG_HOLD ? "held"
	     : h == one      ? "one"
	     : h == ten      ? "ten"
			     : "?";
}

static void show_action(int sig)
{
	struct sigaction a;
	check(sigaction(sig, NULL, &a) == 0);
	printf("  %s flags %x mask", name(a.sa_handler), (unsigned)a.sa_flags);
	for (int i = 1; i < NSIG; i++)
		if (sigismember(&a.sa_mask, i) == 1)
			printf(" %d", i);
	printf(" caught %d\n", (int)caught);
}

#define was(call)                                                                                                      \
	do {                                                                                                           \
		printf("%s: %s\n", #call, name(call));                                                                 \
		show_action(SIGUSR1);                                                                                  \
	} while (0)

#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

int main(void)
{
	sem_init(&here, 0, 0);
	sem_init(&go, 0, 0);
	was(signal(SIGUSR1, ten));
	pthread_t t = spawn(park, NULL);
	wait_for(&here);
	report_threads();
	was(signal(SIGUSR1, one));
	raise(SIGUSR1);
	was(bsd_signal(SIGUSR1, ten));
	gsignal(SIGUSR1);
	was(ssignal(SIGUSR1, one));
	was(sysv_signal(SIGUSR1, ten));
	raise(SIGUSR1);
	was(sysv_signal(SIGUSR1, one));
	show(siginterrupt(SIGUSR1, 1));
	was(signal(SIGUSR1, one));
	show(siginterrupt(SIGUSR1, 0));
	show_action(SIGUSR1);
	was(signal(SIGUSR1, ten));
	was(signal(SIGKILL, ten));
	was(signal(SIGUSR1, SIG_ERR));
	was(sigset(SIGUSR1, one));
	was(sigset(SIGUSR1, SIG_HOLD));
	raise(SIGUSR1);
	show_action(SIGUSR1);
	was(sigset(SIGUSR1, ten));
	show(sighold(SIGUSR1));
	raise(SIGUSR1);
	show_action(SIGUSR1);
	printf("%x\n", siggetmask());
	show(sigrelse(SIGUSR1));
	show_action(SIGUSR1);
	show(sighold(0));
	show(sigrelse(1000));
	printf("%x\n", sigblock(1 << 11));
	printf("%x\n", sigsetmask(0));
	printf("%x\n", siggetmask());
	show(sigignore(SIGUSR1));
	raise(SIGUSR1);
	show_action(SIGUSR1);
	show(sigignore(0));
	sem_post(&go);
	join(t);
	return 0;
}
