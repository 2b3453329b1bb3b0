/* Signals that the kernel sends for a timer or a descriptor, to one thread.
 *
 * The kernel does not know the number of a green thread. So it is asked to signal the hub's OS thread, and what comes from that timer or
 * descriptor is for the thread that was named. Main is named by the OS thread's own number, and is meant alone all the same. */
#include "shim/pthread/thread.h"
#include "shim/signal/signals.h"

enum { TARGETS = 256 };

/* Read by signal handlers. Written on any OS thread, each by whoever has claimed it. */
static struct {
	uint64_t key;     /* atomic: what sends, and the kernel's number of it; 0: free */
	pthread_t target; /* atomic; 0: it is no more */
} targets[TARGETS];
static int used; /* atomic: all that were ever used lie below */

static uint64_t key_of(enum patch_source source, int number)
{
	return (uint64_t)source << 32 | (uint32_t)number;
}

bool patch_target_keep(enum patch_source source, int number, pthread_t target)
{
	for (int i = 0; i < TARGETS; i++) {
		uint64_t none = 0;
		if (!__atomic_compare_exchange_n(&targets[i].key, &none, UINT64_MAX, false, __ATOMIC_ACQUIRE,
						 __ATOMIC_RELAXED))
			continue;
		__atomic_store_n(&targets[i].target, target, __ATOMIC_RELAXED);
		__atomic_store_n(&targets[i].key, key_of(source, number), __ATOMIC_RELEASE);
		for (int n = __atomic_load_n(&used, __ATOMIC_RELAXED); n <= i;)
			if (__atomic_compare_exchange_n(&used, &n, i + 1, false, __ATOMIC_RELEASE, __ATOMIC_RELAXED))
				break;
		return true;
	}
	return false;
}

static int find(enum patch_source source, int number)
{
	for (int i = __atomic_load_n(&used, __ATOMIC_ACQUIRE); i-- > 0;)
		if (__atomic_load_n(&targets[i].key, __ATOMIC_ACQUIRE) == key_of(source, number))
			return i;
	return -1;
}

bool patch_target_find(enum patch_source source, int number, pthread_t *target)
{
	int i = find(source, number);
	if (i >= 0)
		*target = __atomic_load_n(&targets[i].target, __ATOMIC_RELAXED);
	return i >= 0;
}

void patch_target_forget(enum patch_source source, int number)
{
	int i = find(source, number);
	if (i >= 0)
		__atomic_store_n(&targets[i].key, 0, __ATOMIC_RELEASE);
}

/* Whether info has si_fd: F_SETSIG in fcntl(2), and send_sigio_to_task in the kernel's fs/fcntl.c, by which a signal whose codes mean
 * something else has SI_SIGIO. */
static bool is_of_descriptor(int sig, const siginfo_t *info)
{
	bool own_codes = sig == SIGILL || sig == SIGFPE || sig == SIGSEGV || sig == SIGBUS || sig == SIGTRAP ||
			 sig == SIGCHLD || sig == SIGSYS;
	return own_codes ? info->si_code == SI_SIGIO : info->si_code >= POLL_IN && info->si_code <= POLL_HUP;
}

bool patch_target_meant(int sig, const siginfo_t *info, pthread_t *target)
{
	bool found = info->si_code == SI_TIMER   ? patch_target_find(PATCH_BY_TIMER, info->si_timerid, target)
		   : is_of_descriptor(sig, info) ? patch_target_find(PATCH_BY_FD, info->si_fd, target)
						 : false;
	return !found || *target != 0;
}

void patch_targets_end(pthread_t target)
{
	for (int i = __atomic_load_n(&used, __ATOMIC_ACQUIRE); i-- > 0;)
		if (__atomic_load_n(&targets[i].target, __ATOMIC_RELAXED) == target)
			__atomic_store_n(&targets[i].target, 0, __ATOMIC_RELAXED);
}

/* Timers are not inherited (timer_create(2)), and a descriptor goes on to signal the parent's thread. */
void patch_targets_forked(void)
{
	for (int i = 0; i < used; i++)
		targets[i].key = 0;
	used = 0;
}

pthread_t patch_target_named(pid_t number)
{
	if (number == patch_hub_tid())
		return patch_attend_main_id();
	struct patch_thread *t = patch_thread_numbered(number);
	return t ? patch_thread_id(t) : 0;
}
