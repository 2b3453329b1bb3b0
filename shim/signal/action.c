/* sigaction: what the program has said, kept here; what the kernel has, one trampoline.
 *
 * Before the runtime starts the kernel has the program's own handlers. When it starts they are exchanged. From then on a query is answered
 * from here wherever the trampoline is installed, and by the kernel elsewhere. The kernel keeps the program's flags, so that a
 * call that really blocks is restarted or not as native; its mask is full, so that the trampoline is not interrupted before it has set the
 * handler's own. */
#include <string.h>

#include "shim/libc/kernel.h"
#include "shim/signal/signals.h"

struct entry {
	uint32_t turn; /* odd while it is being written */
	bool ours;     /* the kernel has the trampoline */
	bool quiet;    /* although the program has said SIG_DFL: so that a stack overflow can be told */
	struct sigaction action;
};
static struct entry entries[SIG_MAX + 1];

static bool is_handler(const struct sigaction *a)
{
	return a->sa_handler != SIG_DFL && a->sa_handler != SIG_IGN;
}

static void write_entry(int sig, const struct sigaction *action, bool ours)
{
	struct entry *e = &entries[sig];
	__atomic_fetch_add(&e->turn, 1, __ATOMIC_ACQ_REL);
	e->action = *action;
	e->ours = ours;
	e->quiet = false;
	__atomic_fetch_add(&e->turn, 1, __ATOMIC_RELEASE);
}

/* False: it is not ours. */
static bool read_entry(int sig, struct sigaction *action)
{
	const struct entry *e = &entries[sig];
	uint32_t turn;
	bool ours;
	do {
		turn = __atomic_load_n(&e->turn, __ATOMIC_ACQUIRE);
		*action = e->action;
		ours = e->ours;
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
	} while ((turn & 1) == 0 && __atomic_load_n(&e->turn, __ATOMIC_RELAXED) != turn);
	return ours;
}

static int install(int sig, const struct sigaction *action)
{
	struct sigaction a = *action;
	a.sa_sigaction = patch_on_signal;
	a.sa_flags |= SA_SIGINFO;
	/* All, also those that sigfillset leaves out: our own ticks. */
	memset(&a.sa_mask, 0xff, sizeof a.sa_mask);
	return real.sigaction(sig, &a, NULL);
}

/* SIGSEGV, of which the program has said nothing: a stack overflow of a green thread looks like any other fault unless it is told. */
static void listen_to_faults(void)
{
	struct sigaction said;
	if (!patch_stacks_virtual() || real.sigaction(SIGSEGV, NULL, &said) < 0 || said.sa_handler != SIG_DFL)
		return;
	struct sigaction quiet = said;
	quiet.sa_flags |= SA_ONSTACK;
	write_entry(SIGSEGV, &said, true);
	entries[SIGSEGV].quiet = true;
	install(SIGSEGV, &quiet);
}

void patch_action_let_go(int sig)
{
	struct sigaction standard = {.sa_handler = SIG_DFL};
	if (!entries[sig].quiet)
		return;
	write_entry(sig, &standard, false);
	real.sigaction(sig, &standard, NULL);
}

/* The kernel's answer and the program's own words, as one native answer. */
static void answer(int sig, struct sigaction *old)
{
	struct sigaction kernel, said;
	if (!read_entry(sig, &said))
		return;
	if (entries[sig].quiet) {
		*old = said;
		return;
	}
	kernel = *old;
	/* SA_RESETHAND: the kernel has let go of the trampoline. */
	if (!is_handler(&kernel))
		said.sa_handler = kernel.sa_handler;
	*old = said;
	/* SA_RESTORER, which libc adds. */
	old->sa_flags |= kernel.sa_flags & 0x04000000;
	old->sa_restorer = kernel.sa_restorer;
}

int patch_sigaction(int sig, const struct sigaction *act, struct sigaction *old)
{
	struct sigaction wanted, before;
	if (!patch_started || !sig_valid(sig))
		return real.sigaction(sig, act, old);
	if (act)
		wanted = *act; /* it may be the same memory as *old */
	if (real.sigaction(sig, NULL, &before) < 0)
		return -1;
	answer(sig, &before);
	int r = 0;
	if (act && patch_gev->signal_own(sig)) {
		write_entry(sig, &wanted, true); /* the kernel's handler is the runtime's, and stays */
	} else if (act && is_handler(&wanted)) {
		struct sigaction said;
		bool ours = read_entry(sig, &said);
		write_entry(sig, &wanted, true);
		r = install(sig, &wanted);
		if (r < 0)
			write_entry(sig, &said, ours);
	} else if (act) {
		r = real.sigaction(sig, &wanted, NULL);
		if (r == 0)
			write_entry(sig, &wanted, false);
		if (r == 0 && sig == SIGSEGV)
			listen_to_faults();
	}
	if (r == 0 && old)
		*old = before;
	return r;
}
EXPORT(sigaction);
EXPORT_AS(__sigaction, sigaction);

void patch_actions_begin(void)
{
	for (int sig = 1; sig <= SIG_MAX; sig++) {
		struct sigaction a;
		if (!sig_valid(sig) || patch_gev->signal_own(sig) || real.sigaction(sig, NULL, &a) < 0 ||
		    !is_handler(&a))
			continue;
		write_entry(sig, &a, true);
		install(sig, &a);
	}
	listen_to_faults();
}

static bool now(int sig, struct sigaction *action)
{
	if (read_entry(sig, action))
		return true;
	return real.sigaction(sig, NULL, action) == 0;
}

void patch_action_look(int sig, struct sigaction *action)
{
	if (!now(sig, action))
		*action = (struct sigaction){.sa_handler = SIG_IGN};
}

void patch_action_take(int sig, struct sigaction *action)
{
	patch_action_look(sig, action);
	if ((action->sa_flags & SA_RESETHAND) && is_handler(action)) {
		struct sigaction reset = *action; /* the flags stay */
		reset.sa_handler = SIG_DFL;
		write_entry(sig, &reset, false);
		/* The kernel has done so itself where it delivered the signal, but not one that was sent from thread to thread. */
		real.sigaction(sig, &reset, NULL);
	}
}

bool patch_action_default(int sig)
{
	struct sigaction a;
	return now(sig, &a) && a.sa_handler == SIG_DFL;
}

bool patch_action_ignored(int sig)
{
	struct sigaction a;
	if (!now(sig, &a))
		return false;
	/* signal(7): those that do nothing by default. SIGCONT has continued the process when it was sent. */
	bool nothing = sig == SIGCHLD || sig == SIGURG || sig == SIGWINCH || sig == SIGCONT;
	return a.sa_handler == SIG_IGN || (a.sa_handler == SIG_DFL && nothing);
}

void patch_action_default_now(int sig)
{
	sigbits one = sig_bit(sig), old = 0;
	patch_action_let_go(sig);
	kernel_call6(SYS_tgkill, getpid(), patch_hub_tid(), sig, 0, 0, 0);
	kernel_call6(SYS_rt_sigprocmask, SIG_UNBLOCK, (long)&one, (long)&old, sizeof one, 0, 0);
	kernel_call6(SYS_rt_sigprocmask, SIG_SETMASK, (long)&old, 0, sizeof old, 0, 0);
}
