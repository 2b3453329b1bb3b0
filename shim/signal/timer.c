/* Timers that signal one thread: timer_create with SIGEV_THREAD_ID.
 *
 * The kernel does not know the number of a green thread. So it is asked to signal the hub's OS thread, and what comes from that
 * timer is for the thread that was named. Main is named by the OS thread's own number, and is meant alone all the same. */
#include "shim/pthread/thread.h"
#include "shim/signal/signals.h"

enum { TIMERS = 256 };

/* Read by signal handlers. Written on any OS thread, each by whoever has claimed it. */
static struct {
	uint64_t key;     /* atomic: the kernel's number of the timer plus one; 0: free */
	pthread_t target; /* atomic; 0: it is no more */
} timers[TIMERS];
static int used; /* atomic: all that were ever used lie below */

static uint64_t key_of(int number)
{
	return (uint64_t)(uint32_t)number + 1;
}

/* libc's numbers of timers that make threads of their own have the highest bit set
 * (sysdeps/unix/sysv/linux/kernel-posix-timers.h); all others are the kernel's. */
static bool remember(timer_t timer, pthread_t target)
{
	for (int i = 0; i < TIMERS; i++) {
		uint64_t none = 0;
		if (!__atomic_compare_exchange_n(&timers[i].key, &none, UINT64_MAX, false, __ATOMIC_ACQUIRE,
						 __ATOMIC_RELAXED))
			continue;
		__atomic_store_n(&timers[i].target, target, __ATOMIC_RELAXED);
		__atomic_store_n(&timers[i].key, key_of((int)(intptr_t)timer), __ATOMIC_RELEASE);
		for (int n = __atomic_load_n(&used, __ATOMIC_RELAXED); n <= i;)
			if (__atomic_compare_exchange_n(&used, &n, i + 1, false, __ATOMIC_RELEASE, __ATOMIC_RELAXED))
				break;
		return true;
	}
	return false;
}

static int find(int number)
{
	for (int i = __atomic_load_n(&used, __ATOMIC_ACQUIRE); i-- > 0;)
		if (__atomic_load_n(&timers[i].key, __ATOMIC_ACQUIRE) == key_of(number))
			return i;
	return -1;
}

bool patch_timer_meant(const siginfo_t *info, pthread_t *target)
{
	int i = info->si_code == SI_TIMER ? find(info->si_timerid) : -1;
	if (i < 0)
		return true;
	*target = __atomic_load_n(&timers[i].target, __ATOMIC_RELAXED);
	return *target != 0;
}

void patch_timers_end(pthread_t target)
{
	for (int i = __atomic_load_n(&used, __ATOMIC_ACQUIRE); i-- > 0;)
		if (__atomic_load_n(&timers[i].target, __ATOMIC_RELAXED) == target)
			__atomic_store_n(&timers[i].target, 0, __ATOMIC_RELAXED);
}

/* They are not inherited (timer_create(2)). */
void patch_timers_forked(void)
{
	for (int i = 0; i < used; i++)
		timers[i].key = 0;
	used = 0;
}

/* 0: the kernel knows that thread. */
static pthread_t named(pid_t number)
{
	if (number == patch_hub_tid())
		return patch_attend_main_id();
	struct patch_thread *t = patch_thread_numbered(number);
	return t ? patch_thread_id(t) : 0;
}

int patch_timer_create(clockid_t clock, struct sigevent *event, timer_t *timer)
{
	bool by_thread = patch_started && event && event->sigev_notify == SIGEV_THREAD_ID;
	pthread_t target = by_thread ? named(event->_sigev_un._tid) : 0;
	if (target == 0)
		return real.timer_create(clock, event, timer);
	struct sigevent to_hub = *event;
	to_hub._sigev_un._tid = patch_hub_tid();
	if (real.timer_create(clock, &to_hub, timer) < 0)
		return -1;
	if (remember(*timer, target))
		return 0;
	real.timer_delete(*timer);
	errno = EAGAIN;
	return -1;
}
EXPORT_VERSIONS(timer_create, "GLIBC_2.34", "GLIBC_2.3.3");

int patch_timer_delete(timer_t timer)
{
	int i = unlikely(patch_started) && (intptr_t)timer >= 0 ? find((int)(intptr_t)timer) : -1;
	/* First: the number may be another timer's as soon as it is free. */
	if (i >= 0)
		__atomic_store_n(&timers[i].key, 0, __ATOMIC_RELEASE);
	return real.timer_delete(timer);
}
EXPORT_VERSIONS(timer_delete, "GLIBC_2.34", "GLIBC_2.3.3");
