/* Timers that signal one thread: timer_create with SIGEV_THREAD_ID. target.c says to whom the kernel's signal goes then.
 *
 * libc's numbers of timers that make threads of their own have the highest bit set (sysdeps/unix/sysv/linux/kernel-posix-timers.h); all others
 * are the kernel's. */
#include "shim/signal/signals.h"

int patch_timer_create(clockid_t clock, struct sigevent *event, timer_t *timer)
{
	bool by_thread = patch_started && event && event->sigev_notify == SIGEV_THREAD_ID;
	pthread_t target = by_thread ? patch_target_named(event->_sigev_un._tid) : 0;
	if (target == 0)
		return real.timer_create(clock, event, timer);
	struct sigevent to_hub = *event;
	to_hub._sigev_un._tid = patch_hub_tid();
	if (real.timer_create(clock, &to_hub, timer) < 0)
		return -1;
	if (patch_target_keep(PATCH_BY_TIMER, (int)(intptr_t)*timer, target))
		return 0;
	real.timer_delete(*timer);
	errno = EAGAIN;
	return -1;
}
EXPORT_VERSIONS(timer_create, "GLIBC_2.34", "GLIBC_2.3.3");

int patch_timer_delete(timer_t timer)
{
	/* First: the number may be another timer's as soon as it is free. */
	if (unlikely(patch_started) && (intptr_t)timer >= 0)
		patch_target_forget(PATCH_BY_TIMER, (int)(intptr_t)timer);
	return real.timer_delete(timer);
}
EXPORT_VERSIONS(timer_delete, "GLIBC_2.34", "GLIBC_2.3.3");
