/* A process of several threads goes on although each of its timers has run out before the call that set it is over: under a debugger, or where others
 * have the processor. The tracer holds every timer_settime back for longer than a time slice. */
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "twin.h"

enum { REFUSED = 77 };

static void *stay(void *arg)
{
	wait_for(arg);
	return NULL;
}

/* Nearly always in libc, where no tick may switch: it comes again soon. */
static void clear_memory(void)
{
	static char memory[1 << 20];
	struct timespec used;
	do {
		memset(memory, 0, sizeof memory);
		__asm__ volatile("" ::"r"(memory) : "memory");
		check(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used) == 0);
	} while (used.tv_sec == 0 && used.tv_nsec < 30000000);
}

static void be_traced(void)
{
	sem_t end;
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
		_exit(REFUSED);
	raise(SIGSTOP);
	sem_init(&end, 0, 0);
	pthread_t t = spawn(stay, &end);
	report_threads();
	clear_memory();
	sem_post(&end);
	join(t);
	_exit(0);
}

/* Handlers that have been entered and not left, and the most of them at any time. */
static int inside, deepest;

/* At a stop for a system call, of which the number is in the entry alone. */
static void look_at_call(pid_t pid)
{
	static bool sets_timer;
	struct __ptrace_syscall_info info = {0};
	check(ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof info, &info) > 0);
	if (info.op == PTRACE_SYSCALL_INFO_ENTRY) {
		sets_timer = info.entry.nr == SYS_timer_settime;
		inside -= info.entry.nr == SYS_rt_sigreturn;
	} else if (sets_timer) {
		nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
	}
}

/* The signal to be handed on, or 0. */
static int look(pid_t pid, int status)
{
	if (WSTOPSIG(status) == (SIGTRAP | 0x80)) {
		look_at_call(pid);
		return 0;
	}
	inside++;
	deepest = inside > deepest ? inside : deepest;
	return WSTOPSIG(status);
}

int main(void)
{
	enum {
		MOST = 12
	}; /* of those whose tick asks for the next there were 17 and more, and then no room for another */
	int status, signal = 0;
	pid_t pid = fork();
	check(pid >= 0);
	if (pid == 0)
		be_traced();
	check(waitpid(pid, &status, 0) == pid);
	if (WIFSTOPPED(status))
		check(ptrace(PTRACE_SETOPTIONS, pid, NULL, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL) == 0);
	while (WIFSTOPPED(status)) {
		check(ptrace(PTRACE_SYSCALL, pid, NULL, (long)signal) == 0);
		check(waitpid(pid, &status, 0) == pid);
		signal = WIFSTOPPED(status) ? look(pid, status) : 0;
	}
	/* Where tracing is not allowed, natively neither. */
	printf("ended by signal %d, with %d\n", WIFSIGNALED(status) ? WTERMSIG(status) : 0,
	       WIFEXITED(status) ? WEXITSTATUS(status) : -1);
	printf("a handler in a handler in a handler: %s\n", deepest <= MOST ? "seldom" : "one in another");
	return 0;
}
