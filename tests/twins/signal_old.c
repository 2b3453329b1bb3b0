/* sigvec and sigstack, which libc keeps for old programs: handlers with the old masks and flags, each thread with a stack of its own for them. */
#include <signal.h>

#include "twin.h"

#ifdef __x86_64__
__asm__(".symver old_sigvec, sigvec@GLIBC_2.2.5");

struct old_vec {
	void (*handler)(int);
	int mask;
	int flags;
};

enum { ONSTACK = 1, INTERRUPT = 2, RESETHAND = 4 };

int old_sigvec(int sig, const struct old_vec *vec, struct old_vec *old);

#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

enum { THREADS = 3, SIZE = 64 << 10 };
static char stacks[THREADS][SIZE] __attribute__((aligned(64)));
static __thread volatile int where, handled;
static sem_t here, go[THREADS];

static void handle(int sig)
{
	char *at = __builtin_frame_address(0);
	struct sigstack now;
	check(sigstack(NULL, &now) == 0);
	where = -1;
	for (int i = 0; i < THREADS; i++)
		if (at >= stacks[i] && at < stacks[i] + SIZE)
			where = i;
	handled += now.ss_onstack ? 100 : 1;
	(void)sig;
}

static void show_vec(const char *when)
{
	struct old_vec now;
	check(old_sigvec(SIGUSR1, NULL, &now) == 0);
	printf("%s: %s, mask %x, flags %d\n", when,
	       now.handler == handle    ? "handle"
	       : now.handler == SIG_DFL ? "default"
					: "other",
	       (unsigned)now.mask, now.flags);
}

static void *own_stack(void *arg)
{
	long i = (long)arg;
	struct sigstack mine = {.ss_sp = stacks[i] + SIZE}, before;
	check(sigstack(&mine, &before) == 0 && before.ss_onstack == 0);
	sem_post(&here);
	wait_for(&go[i]);
	check(raise(SIGUSR1) == 0);
	/* libc takes the stack's address for its size (sysdeps/unix/sysv/linux/sigstack.c): the thread seems to be on it already. */
	printf("on the stack %d, %d\n", where, handled);
	sem_post(&here);
	return NULL;
}

int main(void)
{
	static const struct old_vec first = {handle, 1 << (SIGUSR2 - 1), ONSTACK},
				    second = {handle, 0, RESETHAND | INTERRUPT};
	struct old_vec old;
	sem_init(&here, 0, 0);
	for (int i = 0; i < THREADS; i++)
		sem_init(&go[i], 0, 0);
	check(old_sigvec(SIGUSR1, &first, NULL) == 0);
	show_vec("before there are threads");
	pthread_t t[THREADS];
	for (long i = 0; i < THREADS; i++) {
		t[i] = spawn(own_stack, (void *)i);
		wait_for(&here);
	}
	report_threads();
	show_vec("with threads");
	for (int i = 0; i < THREADS; i++) {
		sem_post(&go[i]);
		wait_for(&here);
		join(t[i]);
	}
	check(raise(SIGUSR1) == 0);
	printf("main, without one: %d, %d\n", where, handled);
	show(old_sigvec(SIGUSR1, &second, &old));
	printf("it was %d %x %d\n", old.handler == handle, (unsigned)old.mask, old.flags);
	show_vec("to be reset");
	check(raise(SIGUSR1) == 0);
	show_vec("reset");
	show(old_sigvec(SIGKILL, &first, NULL));
	return 0;
}
#else
int main(void)
{
	return 0;
}
#endif
