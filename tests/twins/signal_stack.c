/* Alternate stacks are each thread's own: handlers of two threads at once, each on its own, also while they park; what sigaltstack answers;
 * a stack overflow, left by a long jump. */
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>

#include "twin.h"

enum { SIZE = 65536, THREADS = 3 };
static sem_t here, inside, go[THREADS], leave[THREADS];
static __thread char *stack;
static __thread int id;
static __thread sigjmp_buf back;

static bool on_it(const void *at)
{
	return stack && (const char *)at >= stack && (const char *)at < stack + SIZE;
}

static void show_stack(const char *what)
{
	stack_t now;
	check(sigaltstack(NULL, &now) == 0);
	printf("%s: flags %d size %zu mine %d\n", what, now.ss_flags, now.ss_size, stack && now.ss_sp == stack);
}

static void take_stack(void)
{
	stack_t s = {.ss_size = SIZE};
	stack = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	check(stack != MAP_FAILED);
	s.ss_sp = stack;
	check(sigaltstack(&s, NULL) == 0);
}

/* Parks on the alternate stack, while the handlers of others run on theirs. */
static void handler(int sig, siginfo_t *info, void *context)
{
	volatile char mark[1000];
	int me = id;
	memset((char *)mark, me, sizeof mark);
	check(on_it((const char *)mark));
	check(((ucontext_t *)context)->uc_stack.ss_sp == stack);
	sem_post(&inside);
	wait_for(&leave[me]);
	for (size_t i = 0; i < sizeof mark; i++)
		check(mark[i] == me);
	stack_t s;
	check(sigaltstack(NULL, &s) == 0 && s.ss_flags == SS_ONSTACK);
	s.ss_flags = SS_DISABLE;
	check(sigaltstack(&s, NULL) == -1 && errno == EPERM);
}

static void elsewhere(int sig)
{
	volatile char c = 0;
	printf("without SA_ONSTACK: on it %d\n", on_it((const char *)&c));
}

static void overflowed(int sig)
{
	volatile char c = 0;
	check(on_it((const char *)&c));
	siglongjmp(back, 1);
}

static int deep(int n)
{
	volatile char room[4096];
	room[0] = (char)n;
	return n == 0 ? room[0] : deep(n - 1) + room[0];
}

static void *run(void *arg)
{
	id = (int)(long)arg;
	if (id == 0)
		show_stack("a new thread");
	take_stack();
	sem_post(&here);
	wait_for(&go[id]);
	return arg;
}

/* Natively it may run over guard pages only; so a stack of its own size, and a thread of its own. */
static void *overflow(void *arg)
{
	take_stack();
	for (volatile int i = 0; i < 3; i++) {
		if (sigsetjmp(back, 1) == 0)
			deep(1 << 20);
		printf("overflow %d\n", i);
	}
	return arg;
}

int main(void)
{
	pthread_t t[THREADS], o;
	struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_ONSTACK};
	struct sigaction plainly = {.sa_handler = elsewhere};
	struct sigaction segv = {.sa_handler = overflowed, .sa_flags = SA_ONSTACK};
	sem_init(&here, 0, 0);
	sem_init(&inside, 0, 0);
	take_stack();
	show_stack("main, before");
	check(sigaction(SIGUSR1, &action, NULL) == 0 && sigaction(SIGUSR2, &plainly, NULL) == 0);
	for (long i = 0; i < THREADS; i++) {
		sem_init(&go[i], 0, 0);
		sem_init(&leave[i], 0, 0);
		t[i] = spawn(run, (void *)i);
		wait_for(&here);
	}
	report_threads();
	show_stack("main");
	for (int i = 0; i < THREADS; i++) {
		check(pthread_kill(t[i], SIGUSR1) == 0);
		wait_for(&inside);
	}
	for (int i = 0; i < THREADS; i++)
		sem_post(&leave[i]);
	id = 0;
	sem_post(&leave[0]);
	check(raise(SIGUSR1) == 0);
	raise(SIGUSR2);
	for (int i = 0; i < THREADS; i++) {
		sem_post(&go[i]);
		join(t[i]);
	}
	stack_t small = {.ss_sp = stack, .ss_size = 100}, wrong = {.ss_sp = stack, .ss_size = SIZE, .ss_flags = 99},
		off = {.ss_flags = SS_DISABLE};
	show(sigaltstack(&small, NULL));
	show(sigaltstack(&wrong, NULL));
	show_stack("unchanged");
	show(sigaltstack(&off, NULL));
	stack_t now;
	check(sigaltstack(NULL, &now) == 0);
	printf("off: flags %d\n", now.ss_flags);
	check(sigaction(SIGSEGV, &segv, NULL) == 0);
	o = spawn(overflow, NULL);
	join(o);
	return 0;
}
