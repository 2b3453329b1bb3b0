/* The numbers of green threads: gettid, and the calls that take such a number.
 *
 * A green thread's number is the one in libc's struct pthread, outside the kernel's range. Nobody can know it who was not
 * told, and it is told by gettid only; so only those that have asked are kept in the table, until they end.
 * The table is looked at from every OS thread, and under its lock nothing is called. */
#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>

#include "shim/base/lock.h"
#include "shim/libc/kernel.h"
#include "shim/pthread/futex.h"
#include "shim/pthread/futex_pi.h"
#include "shim/pthread/thread.h"
#include "shim/signal/signals.h"

enum { BUCKETS = 256 };
static struct patch_thread *buckets[BUCKETS];
static struct patch_lock lock;

static struct patch_thread **bucket_of(int number)
{
	return &buckets[(unsigned)number % BUCKETS];
}

struct patch_thread *patch_thread_numbered(pid_t number)
{
	if (number < PATCH_FIRST_INVENTED)
		return NULL;
	patch_lock(&lock);
	struct patch_thread *t = *bucket_of(number);
	while (t && t->tid != number)
		t = t->next_numbered;
	patch_unlock(&lock);
	return t;
}

static void enter(struct patch_thread *t)
{
	patch_lock(&lock);
	struct patch_thread **first = bucket_of(t->tid);
	t->next_numbered = *first;
	t->numbered = true;
	*first = t;
	patch_unlock(&lock);
}

bool patch_clear_number_at(int *word)
{
	if (patch_me.state == PATCH_FOREIGN || patch_me.is_main)
		return false;
	patch_gettid();
	patch_me.cleared_at = word;
	return true;
}

/* By the kernel, because a bad address means nothing here (kernel/fork.c, mm_release). */
static void clear(int *word)
{
	if (kernel_call6(SYS_futex, (long)word, FUTEX_WAKE_OP, 0, 0, (long)word,
			 FUTEX_OP(FUTEX_OP_SET, 0, FUTEX_OP_CMP_EQ, 0)) >= 0)
		patch_futex((uint32_t *)word, FUTEX_WAKE, 1, 0, NULL, 0);
}

void patch_number_end(struct patch_thread *t)
{
	if (likely(!t->numbered))
		return;
	patch_lock(&lock);
	struct patch_thread **at = bucket_of(t->tid);
	while (*at != t)
		at = &(*at)->next_numbered;
	*at = t->next_numbered;
	t->numbered = false;
	patch_unlock(&lock);
	patch_pi_owner_ended((uint32_t)t->tid);
	patch_targets_end(patch_thread_id(t));
	if (t->cleared_at)
		clear(t->cleared_at);
}

void patch_numbers_forked(void)
{
	for (int i = 0; i < BUCKETS; i++)
		buckets[i] = NULL;
	patch_me.numbered = false;
	lock = (struct patch_lock){0};
}

pid_t patch_gettid(void)
{
	if (patch_me.state == PATCH_FOREIGN || patch_me.is_main)
		return real.gettid();
	int number = patch_tid();
	if (unlikely(!patch_me.numbered && number >= PATCH_FIRST_INVENTED))
		enter(&patch_me);
	return number;
}
EXPORT(gettid);

/* glibc 2.42: what libc's struct pthread says; -1: it has ended. */
pid_t patch_pthread_gettid_np(pthread_t id)
{
	struct patch_thread *t = patch_thread_find(id);
	if (t && (patch_thread_state(t) == PATCH_GONE || patch_thread_state(t) == PATCH_ENDED))
		return -1;
	int number = patch_tid_of(id);
	if (t && number >= PATCH_FIRST_INVENTED && !t->numbered) {
		t->tid = number;
		enter(t);
	}
	return number > 0 ? number : -1;
}
EXPORT(pthread_gettid_np);

/* Whether that is a green thread's number and its process this one; then *r is what the call gives. */
bool patch_kill_numbered(pid_t process, pid_t number, int sig, int *r)
{
	struct patch_thread *t = process == getpid() ? patch_thread_numbered(number) : NULL;
	if (t == NULL)
		return false;
	int error = patch_pthread_kill(patch_thread_id(t), sig);
	if (error)
		errno = error;
	*r = error ? -1 : 0;
	return true;
}

int patch_tgkill(pid_t process, pid_t number, int sig)
{
	int r;
	return patch_kill_numbered(process, number, sig, &r) ? r : real.tgkill(process, number, sig);
}
EXPORT(tgkill);
