/* aio_suspend, lio_listio, gai_suspend: what libc's own threads work at is asked for again every so often. libc's own waits would have to be cut off
 * for a signal, and gai_suspend's leaves its caller's stack in libc's lists then. */
#include <aio.h>
#include <netdb.h>

#include "shim/libc/wait.h"
#include "shim/pthread/until.h"
#include "shim/signal/signals.h"

static const struct timespec at_once;

/* timeout: relative; NULL: none. */
static int64_t deadline_after(const struct timespec *timeout)
{
	if (timeout == NULL || timeout->tv_sec >= INT64_MAX / PATCH_NS)
		return GEV_NEVER;
	return io_after(timeout->tv_sec * (int64_t)PATCH_NS + timeout->tv_nsec);
}

/* 0, -EINTR, -ECANCELED; -EAGAIN: the deadline has passed. */
static int nap(int64_t *step, int64_t deadline, unsigned flags)
{
	if (io_now() >= deadline)
		return -EAGAIN;
	int r = patch_nap(step, deadline, flags | GEV_PARK_INTERRUPTIBLE);
	/* In libc they wait on a futex, which is restarted after a handler with SA_RESTART. */
	return r == -EINTR ? patch_interrupted(true) : r;
}

static bool any_done(const struct aiocb *const list[], int n)
{
	int asked = 0;
	for (int i = 0; i < n; i++) {
		if (list[i] == NULL)
			continue;
		if (aio_error(list[i]) != EINPROGRESS)
			return true;
		asked++;
	}
	return asked == 0;
}

/* libc's own is not even asked without waiting: a tick would end that with EINTR. */
static int suspend(const struct aiocb *const list[], int n, const struct timespec *timeout)
{
	int64_t step = 0, deadline = deadline_after(timeout);
	int r = 0;
	while (r == 0 && !any_done(list, n))
		r = nap(&step, deadline, GEV_PARK_KILLABLE);
	return r;
}

int patch_aio_suspend(const struct aiocb *const list[], int n, const struct timespec *timeout)
{
	if (!patch_green() ||
	    (timeout && (timeout->tv_nsec < 0 || timeout->tv_nsec >= PATCH_NS || timeout->tv_sec < 0)))
		return real.aio_suspend(list, n, timeout);
	int saved = errno;
	return (int)io_result(suspend(list, n, timeout), saved);
}
EXPORT(aio_suspend);
EXPORT_AS(aio_suspend64, aio_suspend);

/* 0, -EIO: one of them has failed; or why the wait was over before. */
static int wait_for_all(struct aiocb *const list[], int n)
{
	int failed = 0;
	for (int i = 0; i < n; i++) {
		int r = 0;
		if (list[i] == NULL || list[i]->aio_lio_opcode == LIO_NOP)
			continue;
		for (int64_t step = 0; r == 0 && aio_error(list[i]) == EINPROGRESS;)
			r = nap(&step, GEV_NEVER, 0);
		if (r < 0)
			return r;
		failed |= aio_error(list[i]);
	}
	return failed ? -EIO : 0;
}

int patch_lio_listio(int mode, struct aiocb *const list[], int n, struct sigevent *event)
{
	if (mode != LIO_WAIT || !patch_green())
		return real.lio_listio(mode, list, n, event);
	int saved = errno, begun = real.lio_listio(LIO_NOWAIT, list, n, NULL);
	int r = wait_for_all(list, n);
	return (int)io_result(begun < 0 && r == 0 ? -EIO : r, saved);
}
EXPORT(lio_listio);
EXPORT_AS(lio_listio64, lio_listio);

static bool all_in_progress(const struct gaicb *const list[], int n)
{
	int asked = 0;
	for (int i = 0; i < n; i++) {
		if (list[i] == NULL)
			continue;
		if (gai_error((struct gaicb *)list[i]) != EAI_INPROGRESS)
			return false;
		asked++;
	}
	return asked > 0;
}

int patch_gai_suspend(const struct gaicb *const list[], int n, const struct timespec *timeout)
{
	if (!patch_green())
		return real.gai_suspend(list, n, timeout);
	int64_t step = 0, deadline = deadline_after(timeout);
	while (all_in_progress(list, n)) {
		int r = nap(&step, deadline, 0);
		if (r < 0)
			return r == -EINTR ? EAI_INTR : real.gai_suspend(list, n, &at_once);
	}
	/* What was done before is another answer than what was waited for. */
	return step > 0 ? 0 : real.gai_suspend(list, n, &at_once);
}
EXPORT(gai_suspend);
