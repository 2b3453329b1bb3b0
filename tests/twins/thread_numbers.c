/* gettid: a number of its own for each thread, the same by every way to ask, and tgkill finds the thread by it;
 * set_tid_address tells of its end. */
#include <dlfcn.h>
#include <linux/futex.h>
#include <signal.h>
#include <sys/syscall.h>

#include "twin.h"

static pid_t number[2];
static volatile pid_t handled_by;
static sem_t here, go, handled;

static void handler(int sig)
{
	handled_by = gettid();
	sem_post(&handled);
	(void)sig;
}

static void *run(void *arg)
{
	number[(long)arg] = gettid();
	sem_post(&here);
	wait_for(&go);
	check(number[(long)arg] == gettid());
	check(number[(long)arg] == syscall(SYS_gettid));
	return NULL;
}

/* Detached: what libc itself has the kernel clear is what pthread_join waits for. */
static void *cleared_at_its_end(void *word)
{
	check(pthread_detach(pthread_self()) == 0);
	check(syscall(SYS_set_tid_address, word) == gettid());
	sem_post(&here);
	wait_for(&go);
	return NULL;
}

static void ends_are_told(void)
{
	static int word = 1;
	spawn(cleared_at_its_end, &word);
	wait_for(&here);
	sem_post(&go);
	while (__atomic_load_n(&word, __ATOMIC_SEQ_CST))
		syscall(SYS_futex, &word, FUTEX_WAIT, 1, NULL);
	spawn(cleared_at_its_end, (void *)16); /* nobody may write there */
	wait_for(&here);
	sem_post(&go);
	puts("told of the end");
}

int main(void)
{
	sem_init(&here, 0, 0);
	sem_init(&go, 0, 0);
	sem_init(&handled, 0, 0);
	signal(SIGUSR1, handler);
	pthread_t a = spawn(run, (void *)0), b = spawn(run, (void *)1);
	wait_for(&here);
	wait_for(&here);
	report_threads();
	printf("distinct: %d, main's is the process's: %d\n",
	       number[0] != number[1] && number[0] != getpid() && number[1] != getpid(), gettid() == getpid());
	pid_t (*number_of)(pthread_t) =
		(pid_t(*)(pthread_t))dlsym(RTLD_DEFAULT, "pthread_gettid_np"); /* from glibc 2.42 on */
	check(number_of == NULL ||
	      (number_of(a) == number[0] && number_of(b) == number[1] && number_of(pthread_self()) == gettid()));
	show(tgkill(getpid(), number[0], 0));
	show(tgkill(getpid(), number[1], 12345));
	show(syscall(SYS_tkill, number[1], 0));
	show(tgkill(getpid() == 1 ? 2 : 1, number[0], 0));
	show(tgkill(getpid(), number[1], SIGUSR1));
	wait_for(&handled);
	printf("by the one it was for: %d\n", handled_by == number[1]);
	show(tgkill(getpid(), gettid(), 0));
	sem_post(&go);
	sem_post(&go);
	join(a);
	join(b);
	/* libc's join waits for the word that the kernel clears at a thread's end, and shortly after it the number is still known. */
	for (int i = 0; i < 2; i++)
		while (tgkill(getpid(), number[i], 0) == 0)
			sched_yield();
	show(tgkill(getpid(), number[0], 0));
	show(tgkill(getpid(), number[1], SIGUSR1));
	ends_are_told();
	return 0;
}
