/* System V message queues and semaphores: nothing but the kernel's own call tells when one may go on, so a real thread
 * makes it. None of them is ever restarted after a handler (signal(7)). */
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/syscall.h>
#include <time.h>

#include "shim/libc/blocking.h"
#include "shim/libc/poll.h"

static long try_receive(const struct blocking *b)
{
	const long *a = b->args;
	ssize_t r = real.msgrcv((int)a[0], (void *)a[1], (size_t)a[2], a[3], (int)a[4] | IPC_NOWAIT);
	return r >= 0 ? r : errno == ENOMSG ? -EAGAIN : -errno;
}

ssize_t patch_msgrcv(int queue, void *to, size_t size, long type, int flags)
{
	if (!patch_green())
		return real.msgrcv(queue, to, size, type, flags);
	io_cancellation_point();
	if (flags & (IPC_NOWAIT | MSG_COPY))
		return real.msgrcv(queue, to, size, type, flags);
	int saved = errno;
	struct blocking b = {.attempt = try_receive,
			     .number = SYS_msgrcv,
			     .args = {queue, (long)to, (long)size, type, flags},
			     .cancels = true};
	return io_result(blocking_call(&b), saved);
}
EXPORT(msgrcv);

static long try_send(const struct blocking *b)
{
	const long *a = b->args;
	return real.msgsnd((int)a[0], (const void *)a[1], (size_t)a[2], (int)a[3] | IPC_NOWAIT) == 0 ? 0 : -errno;
}

int patch_msgsnd(int queue, const void *from, size_t size, int flags)
{
	if (!patch_green())
		return real.msgsnd(queue, from, size, flags);
	io_cancellation_point();
	if (flags & IPC_NOWAIT)
		return real.msgsnd(queue, from, size, flags);
	int saved = errno;
	struct blocking b = {.attempt = try_send,
			     .number = SYS_msgsnd,
			     .args = {queue, (long)from, (long)size, flags},
			     .cancels = true};
	return (int)io_result(blocking_call(&b), saved);
}
EXPORT(msgsnd);

/* SEMOPM, what one call takes at most, is 500 by default and may be set higher: those are the original's to judge. */
enum { SEMOPS = 500 };

/* With IPC_NOWAIT on all of them. That the last timeout has passed is EAGAIN too, and that is for the thread to say. */
static long try_operations(const struct blocking *b)
{
	struct sembuf at_once[SEMOPS];
	size_t n = (size_t)b->args[2];
	memcpy(at_once, (const void *)b->args[1], n * sizeof *at_once);
	for (size_t i = 0; i < n; i++)
		at_once[i].sem_flg |= IPC_NOWAIT;
	return real.semtimedop((int)b->args[0], at_once, n, NULL) == 0 ? 0 : -errno;
}

/* The operations that say IPC_NOWAIT themselves decide only if the others do not wait first: then all do not wait. */
static bool waits(const struct sembuf *operations, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!(operations[i].sem_flg & IPC_NOWAIT))
			return true;
	return false;
}

int patch_semtimedop(int set, struct sembuf *operations, size_t n, const struct timespec *timeout)
{
	if (!patch_green() || n == 0 || n > SEMOPS || operations == NULL || !poll_time_valid(timeout) ||
	    !waits(operations, n))
		return real.semtimedop(set, operations, n, timeout);
	int saved = errno;
	struct blocking b = {.attempt = try_operations,
			     .number = SYS_semtimedop,
			     .args = {set, (long)operations, (long)n, (long)timeout}};
	return (int)io_result(blocking_call(&b), saved);
}
EXPORT(semtimedop);

int patch_semop(int set, struct sembuf *operations, size_t n)
{
	return patch_semtimedop(set, operations, n, NULL);
}
EXPORT(semop);
