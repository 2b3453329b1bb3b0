/* Looking at a running thread.
 *
 * /proc/self/task/TID/syscall says "running", or the call's number, its arguments, stack pointer and program counter (proc(5)). To a thread
 * that computes a real-time signal is sent, whose handler says where it was interrupted, and stays until the watcher has copied the stack; nothing
 * is allocated meanwhile, because it may have been interrupted in malloc. It interrupts no system call, so the program does not notice. The signal is used only if the program has left it alone. */
#include "lib/watch/running.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/sys.h"
#include "lib/context/registers.h"
#include "lib/watch/outside.h"

static int hold_signal(void)
{
	return SIGRTMAX - 5;
}

enum { IDLE, ASKED, HELD, GO };

static uint32_t phase; /* futex */
static pid_t held;
static struct gev__stand found;

static void wait_while(uint32_t value, int64_t ns)
{
	struct timespec t = gev__timespec(ns);
	gev__sys.syscall(SYS_futex, (long)&phase, FUTEX_WAIT_PRIVATE, value, (long)&t, 0, 0);
}

static void set(uint32_t value)
{
	__atomic_store_n(&phase, value, __ATOMIC_SEQ_CST);
	gev__sys.syscall(SYS_futex, (long)&phase, FUTEX_WAKE_PRIVATE, INT_MAX, 0, 0, 0);
}

/* Longer than any look takes; a watcher that fails must not stop the program. */
#define HELD_AT_MOST_NS (NS_PER_S / 2)
/* How often a wait looks whether it has an end; how long the thread may take until it is given a processor. */
#define LOOK_NS (NS_PER_S / 10)
#define ANSWER_AT_MOST_NS (5 * NS_PER_S)

static void on_hold(int sig, siginfo_t *info, void *context)
{
	int saved = errno;
	uint32_t asked = ASKED;
	if (gev__sys.syscall(SYS_gettid, 0, 0, 0, 0, 0, 0) != __atomic_load_n(&held, __ATOMIC_ACQUIRE))
		return;
	found = (struct gev__stand){.pc = gev__pc_of(context), .sp = gev__sp_of(context), .fp = gev__fp_of(context)};
	if (__atomic_compare_exchange_n(&phase, &asked, HELD, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
		set(HELD);
		int64_t until = gev__now() + HELD_AT_MOST_NS;
		while (__atomic_load_n(&phase, __ATOMIC_SEQ_CST) == HELD && gev__now() < until)
			wait_while(HELD, LOOK_NS);
	}
	errno = saved;
}

static bool may_signal(void)
{
	struct sigaction now;
	if (sigaction(hold_signal(), NULL, &now) != 0)
		return false;
	if ((now.sa_flags & SA_SIGINFO) && now.sa_sigaction == on_hold)
		return true;
	if ((now.sa_flags & SA_SIGINFO) || now.sa_handler != SIG_DFL)
		return false;
	struct sigaction ours = {.sa_sigaction = on_hold, .sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK};
	sigfillset(&ours.sa_mask);
	return sigaction(hold_signal(), &ours, NULL) == 0;
}

/* Whether the signal is in that set of the thread's status, a mask in hexadecimal (proc_pid_status(5)). */
static bool in_set(const char *status, const char *set)
{
	const char *mask = strstr(status, set);
	return mask && (strtoull(mask + strlen(set), NULL, 16) >> (hold_signal() - 1) & 1);
}

/* Then it never answers. In the handler the signal is blocked too, but no longer pending. */
static bool blocks_the_signal(pid_t tid)
{
	char path[64], status[4096];
	snprintf(path, sizeof path, "/proc/self/task/%d/status", tid);
	return !gev__slurp(path, status, sizeof status) || (in_set(status, "SigPnd:") && in_set(status, "SigBlk:"));
}

/* Whether the thread is held; then it must be let go. */
static bool hold(pid_t tid)
{
	if (!may_signal())
		return false;
	__atomic_store_n(&held, tid, __ATOMIC_RELEASE);
	__atomic_store_n(&phase, ASKED, __ATOMIC_SEQ_CST);
	if (gev__sys.syscall(SYS_tgkill, getpid(), tid, hold_signal(), 0, 0, 0) == 0) {
		int64_t until = gev__now() + ANSWER_AT_MOST_NS;
		while (__atomic_load_n(&phase, __ATOMIC_SEQ_CST) == ASKED && gev__now() < until &&
		       !blocks_the_signal(tid))
			wait_while(ASKED, LOOK_NS);
	}
	uint32_t asked = ASKED;
	/* No answer: one that comes later finds nothing to do. */
	return !__atomic_compare_exchange_n(&phase, &asked, IDLE, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

static void copy_stack(struct gev__doing *r)
{
	enum { MOST = 256 * 1024 };
	static char copy[MOST];
	r->stand = found;
	r->stand.copy = copy;
	r->stand.copied = gev__peek((const void *)found.sp, copy, sizeof copy);
	r->known = true;
}

void gev__doing(pid_t tid, struct gev__doing *r)
{
	char path[64], line[256];
	*r = (struct gev__doing){.syscall = -1};
	snprintf(path, sizeof path, "/proc/self/task/%d/syscall", tid);
	if (!gev__slurp(path, line, sizeof line) || strncmp(line, "running", 7) == 0) {
		if (hold(tid)) {
			copy_stack(r);
			set(GO);
		}
		return;
	}
	/* nr arg0 ... arg5 sp pc; or -1 sp pc: blocked, but not in a system call. */
	r->syscall = strtol(line, NULL, 10);
	char *pc = strrchr(line, ' ');
	if (pc == NULL)
		return;
	r->stand.pc = strtoul(pc, NULL, 16);
	*pc = '\0';
	char *sp = strrchr(line, ' ');
	if (sp == NULL)
		return;
	r->stand.sp = strtoul(sp, NULL, 16);
	r->known = true;
}

const char *gev__syscall_name(long number)
{
	static const struct {
		long number;
		const char *name;
	} names[] = {
#define CALL(number, name) {number, #name},
#include "syscall-names.h"
#undef CALL
	};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (names[i].number == number)
			return names[i].name;
	return NULL;
}
